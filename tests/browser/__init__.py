"""A real browser on the client's pages: for the tests, `make screenshots` and `make bench`."""
