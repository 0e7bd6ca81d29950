"""The vocabulary of column names, by language."""
