"""The worker process: Dramatiq actors, maintenance and compaction."""
