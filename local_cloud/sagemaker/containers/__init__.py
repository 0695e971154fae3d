"""Images and the processes that they become."""
