"""`make doctor`: what keeps the local cloud from working, and the remedy for each.

It has to run where nothing is installed yet, so importing it takes the standard library alone.
`examination.py` says what is looked at and in which order; each of the other files looks at one
kind of thing and changes nothing.
"""
