"""Containers: what trip files are wrapped in. From the stored bytes of a file to the bytes of each table inside it."""
