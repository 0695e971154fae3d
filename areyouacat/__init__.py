"""The domain: plain Python, numpy and Pillow; no AWS, no Keras."""
