"""Text: bytes to records, fields and numbers."""
