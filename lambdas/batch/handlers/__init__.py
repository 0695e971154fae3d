"""Entry points: events in, answers out."""
