"""What is asked for: the form of a request, its meaning, and what is refused or ignored."""
