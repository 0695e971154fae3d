"""The web page for people; a client of the public API like any other."""
