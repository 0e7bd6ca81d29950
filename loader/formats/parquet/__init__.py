"""Parquet files: layout, limits, and columns as the validation takes them."""
