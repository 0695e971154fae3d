"""Copies of the lake and the tables in a folder: what `backup` writes and `restore` reads."""
