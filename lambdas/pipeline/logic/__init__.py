"""What each step does, on plain values and protocols: no boto3, no MLflow."""
