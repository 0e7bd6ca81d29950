"""Storage: what a batch becomes in the database and the object store."""
