"""What the system costs on AWS, computed from what was measured and a dated list of prices."""
