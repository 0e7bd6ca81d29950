"""Times: stamps, numbers and clocks to the local wall clock."""
