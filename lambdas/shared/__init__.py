"""What every bundle shares; imports nothing but boto3, Powertools and the pure core."""
