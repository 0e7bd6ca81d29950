"""What processes tell Prometheus: the backlog, which every process can export, and the counters of a worker."""
