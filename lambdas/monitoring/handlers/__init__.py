"""Event in, result out; one call inside."""
