"""Delimited files: dialect, record boundaries, and what only the whole file can settle."""
