"""What every Tripdeck process shares: settings, errors, domain types, database, queries, object store, queueing, events."""
