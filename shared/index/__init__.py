"""Index: read the blocks, rollups and flows that answer questions without reading trips."""
