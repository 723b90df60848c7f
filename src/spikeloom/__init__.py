"""spikeloom: the workbench for spike-sorted electrophysiology."""

__version__ = "0.1.0"
