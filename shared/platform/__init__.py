"""Platform: errors, settings, logs and what else needs neither a server nor a trip."""
