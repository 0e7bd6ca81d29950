"""The pages Load and Loads."""
