"""Detection: what columns mean, by their names and by what they hold."""
