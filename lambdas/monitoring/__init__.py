"""Eyes and reflexes: the monitor workflow, and the start of a training when an alarm fires."""
