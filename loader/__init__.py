"""The queue-driven loader: Dramatiq actors, formats, COPY, and the hub."""
