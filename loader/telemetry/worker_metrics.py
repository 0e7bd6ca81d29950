"""Metrics of one worker process, for Prometheus."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from loader.telemetry.registry import make_registry

_SECONDS: Final = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class WorkerMetrics:
    """The process's counters."""

    def __init__(self) -> None:
        self.registry = registry = make_registry()
        self.rows = Counter(
            "tripdeck_worker_rows", "Rows of batches that were committed: loaded or rejected.", ("outcome",), registry=registry
        )
        self.bytes = Counter("tripdeck_worker_bytes", "Bytes of files in batches that were committed.", registry=registry)
        self.batches = Counter("tripdeck_worker_batches", "Batches that ended: done or failed.", ("outcome",), registry=registry)
        self.batch_seconds = Histogram(
            "tripdeck_worker_batch_seconds", "Time from a batch's lease to its end.", buckets=_SECONDS, registry=registry
        )
        self.batches_at_hand = Gauge("tripdeck_worker_batches_at_hand", "Batches that this process loads now.", registry=registry)
        self.leases_expired = Counter(
            "tripdeck_worker_leases_expired",
            "Starts of batches and plans that an earlier start had left without an end: killed, or hanging.",
            ("kind",),
            registry=registry,
        )
        self.retries = Counter(
            "tripdeck_worker_retries", "Work that is tried again, by actor and error code.", ("actor", "error"), registry=registry
        )
        self.loads_compacted = Counter("tripdeck_worker_loads_compacted", "Loads that were compacted.", registry=registry)
        self.source_objects = Counter(
            "tripdeck_worker_source_objects",
            "Objects of sources by what became of them: loaded (the load was requested), failed, waiting, refused, changed.",
            ("outcome",),
            registry=registry,
        )
        for outcome in ("loaded", "failed", "waiting", "refused", "changed"):
            self.source_objects.labels(outcome)
        self.webhook_deliveries = Counter(
            "tripdeck_worker_webhook_deliveries",
            "Attempts to send a message to a webhook: delivered, retried later, or failed for good.",
            ("outcome",),
            registry=registry,
        )
        for outcome in ("delivered", "retried", "failed"):
            self.webhook_deliveries.labels(outcome)
        for outcome in ("loaded", "rejected"):
            self.rows.labels(outcome)
        for outcome in ("done", "failed"):
            self.batches.labels(outcome)
