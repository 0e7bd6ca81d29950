"""How pages look: theme, texts, tables, exports."""
