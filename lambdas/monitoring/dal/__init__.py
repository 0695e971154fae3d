"""The only monitoring code that touches boto3."""
