"""The only code of this bundle that speaks to AWS."""
