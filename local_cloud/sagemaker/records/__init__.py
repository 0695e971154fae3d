"""What is known of a job: its record, all of them, what clients see of each kind."""
