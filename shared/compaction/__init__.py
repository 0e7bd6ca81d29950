"""Compaction: write blocks, rollups and flows, and merge those of many loads into segments."""
