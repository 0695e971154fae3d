"""The train and deploy workflows, step by step: one handler per state."""
