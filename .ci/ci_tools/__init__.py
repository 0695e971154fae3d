"""What continuous integration runs beside the tests: audit, bills of materials, deployment."""
