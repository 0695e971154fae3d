"""Batch scoring: many photos by the serving code, into Parquet."""
