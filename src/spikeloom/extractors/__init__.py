"""Readers of files that other programs wrote."""
