"""What a job finds in /opt/ml, and what becomes of what it leaves there."""
