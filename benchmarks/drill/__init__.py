"""The drift drill: the world changes, and the loop notices, retrains and recovers by itself."""
