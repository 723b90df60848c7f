"""Whole sorted datasets, as an app opens them."""
