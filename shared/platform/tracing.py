"""Tracing: spans of a request through the queue to the worker; off unless a standard OTEL_ variable asks for it.

    tracing = make_tracing("tripdeck-worker", os.environ)
    with tracing.span("COPY trips", rows=1000):
        ...

When it is off nothing of OpenTelemetry is imported here; the Redis client imports the SDK's metrics wherever they are installed
(0.1 s and 2.3 MiB a process).
"""

from collections.abc import Mapping
from typing import Final

from shared.platform.errors import SettingsError
from shared.platform.spans import Tracing

_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


def make_tracing(service: str, environment: Mapping[str, str]) -> Tracing:
    """Make the tracing that the environment asks for. service: the process's name unless OTEL_SERVICE_NAME says another.

    Raises: SettingsError when the packages are not installed, or for an exporter or a protocol that there is not.
    """
    if not _is_wanted(environment):
        return Tracing()
    try:
        from shared.platform.otel_tracing import OpenTelemetryTracing
    except ImportError as error:
        raise SettingsError(
            "OTEL_ variables ask for traces, and OpenTelemetry is not installed: pip install 'tripdeck[tracing]', or set "
            "OTEL_TRACES_EXPORTER=none."
        ) from error
    return OpenTelemetryTracing(service, environment)


def _is_wanted(environment: Mapping[str, str]) -> bool:
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    exporter = environment.get("OTEL_TRACES_EXPORTER", "")
    return exporter != "none" and bool(exporter or any(environment.get(name) for name in _ENDPOINTS))
