"""The drift report's container: two samples of photos become a page to look at, and its figures.

It has an image of its own: Evidently is larger than everything else that a training needs.
"""
