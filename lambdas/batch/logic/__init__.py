"""What the functions do, without HTTP and without AWS."""
