"""The packaged browser components."""
