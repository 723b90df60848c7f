"""Arithmetic compiled with numba: arrays in, one array filled, one idea a file."""
