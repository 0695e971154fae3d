"""State in, state out; one call inside."""
