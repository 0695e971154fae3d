"""One job from start to end: its turn, its image, its data, its results."""
