"""A registry with the figures of the process itself."""

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector, disable_created_metrics

# No second series with the instant each counter was made.
disable_created_metrics()  # type: ignore[no-untyped-call]


def make_registry() -> CollectorRegistry:
    """Make a registry of memory, processor time and Python's version; not the global one, so that tests can make several."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    return registry
