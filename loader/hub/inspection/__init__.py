"""Inspection of files in child processes."""
