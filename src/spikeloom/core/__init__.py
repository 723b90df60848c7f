"""The objects that all rooms share."""
