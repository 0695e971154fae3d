"""The bundle with LiteRT: answers /predict, and judges candidates with the same code."""
