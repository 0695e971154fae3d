"""The Lambda functions: one bundle per folder, one dependency set per bundle."""
