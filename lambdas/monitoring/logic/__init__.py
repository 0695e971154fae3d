"""What the monitor decides, on plain values: no boto3."""
