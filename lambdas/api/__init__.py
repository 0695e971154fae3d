"""The bundle without LiteRT, numpy or Pillow: feedback, model and health."""
