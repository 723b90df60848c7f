"""Recordings whose spikes are known, made from a seed, for demonstration and for tests."""
