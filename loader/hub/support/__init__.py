"""What all of the hub uses: executors, access, errors, metrics."""
