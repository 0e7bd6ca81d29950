"""Checks: that trips, ledger, counters, rejects, rollups, segments and events agree."""
