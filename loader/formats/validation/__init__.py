"""Validation: which rows are trips, and why the others are rejects."""
