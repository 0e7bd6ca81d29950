"""Services: PostgreSQL, Redis and the object store, each behind one module."""
