"""The only pipeline code that touches boto3 and MLflow."""
