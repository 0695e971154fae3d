"""The training container: from a data set version to a model that serving can load."""
