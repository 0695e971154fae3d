"""What a job says, live: its log and its metrics."""
