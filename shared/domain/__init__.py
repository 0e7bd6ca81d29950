"""Domain: positions, areas, clocks and the ends of trips. No I/O."""
