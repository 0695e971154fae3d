"""The local cloud: AWS's endpoints on this machine, for development and tests."""
