"""The bundle without LiteRT, numpy or Pillow: all of the API but the photo itself."""
