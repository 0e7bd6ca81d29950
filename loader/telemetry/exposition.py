"""Exposition: a worker process's metrics over HTTP."""

import logging
from collections.abc import Callable
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, start_http_server

from shared.platform.settings import Settings

LOG = logging.getLogger(__name__)


def serve_metrics(settings: Settings, registry: CollectorRegistry) -> Callable[[], None] | None:
    """Serve the registry on the first free of the worker's ports; returns what ends it, None where there is no port.

    Each process of a worker takes one of worker_metrics_port, the next, and so on. A port that is taken costs the metrics, not
    the loads.
    """
    first = settings.worker_metrics_port
    if not first:
        return None
    for port in range(first, first + settings.worker_processes):
        try:
            server, _ = start_http_server(port, settings.worker_metrics_host, registry)
        except OSError:
            continue
        LOG.info("metrics are served", extra={"host": settings.worker_metrics_host, "port": port})
        return lambda: _close(server)
    LOG.warning("no port for metrics is free", extra={"host": settings.worker_metrics_host, "port": first})
    return None


def _close(server: WSGIServer) -> None:
    server.shutdown()
    server.server_close()
