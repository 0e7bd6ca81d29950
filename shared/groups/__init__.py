"""Trip groups and flows."""
