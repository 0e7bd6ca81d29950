"""Position checks: axis order, units and exchanged axes."""
