"""Tracing by OpenTelemetry.

The SDK itself reads OTEL_EXPORTER_OTLP_*, OTEL_BSP_*, OTEL_TRACES_SAMPLER and OTEL_RESOURCE_ATTRIBUTES.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from opentelemetry import context, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.propagate import extract, inject
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SpanExporter
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from shared.platform.errors import SettingsError
from shared.platform.spans import Attribute, Carrier, RequestSpan, Tracing

_EXPORTERS: Final[Mapping[str, Callable[[], SpanExporter]]] = {"otlp": OTLPSpanExporter, "console": ConsoleSpanExporter}
_PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_PROTOCOL: Final = "http/protobuf"


class OpenTelemetryTracing(Tracing):
    """Spans that the exporters of the environment get."""

    is_on = True

    def __init__(self, service: str, environment: Mapping[str, str]) -> None:
        for name in _PROTOCOLS:
            if environment.get(name, _PROTOCOL) != _PROTOCOL:
                raise SettingsError(f"{name}: traces are sent by {_PROTOCOL} only.")
        attributes: dict[str, Attribute] = {} if environment.get("OTEL_SERVICE_NAME") else {SERVICE_NAME: service}
        self._provider = TracerProvider(resource=Resource.create(attributes))
        for name in environment.get("OTEL_TRACES_EXPORTER", "otlp").split(","):
            if name.strip() not in _EXPORTERS:
                raise SettingsError(f"OTEL_TRACES_EXPORTER: {name.strip()} is none of {', '.join(_EXPORTERS)} and none.")
            self._provider.add_span_processor(BatchSpanProcessor(_EXPORTERS[name.strip()]()))
        self._tracer = self._provider.get_tracer("tripdeck")

    @contextmanager
    def span(self, name: str, **attributes: Attribute) -> Iterator[None]:
        """Take the time of a block; an exception ends the span as an error."""
        with self._tracer.start_as_current_span(name, attributes=attributes):
            yield

    @contextmanager
    def message_span(self, name: str, carrier: Mapping[str, str], **attributes: Attribute) -> Iterator[None]:
        """Take the time of a message's work, as a part of what sent it."""
        sender = extract(carrier)
        with self._tracer.start_as_current_span(name, context=sender, kind=SpanKind.CONSUMER, attributes=attributes):
            yield

    def begin_request(self, name: str, headers: Mapping[str, str], **attributes: Attribute) -> RequestSpan:
        """Begin a request's span and make it the current one of the caller's task, whose context ends with it."""
        caller = extract({key.lower(): value for key, value in headers.items()})
        span = self._tracer.start_span(name, context=caller, kind=SpanKind.SERVER, attributes=attributes)
        context.attach(trace.set_span_in_context(span, caller))
        return _OpenRequest(span)

    def inject(self) -> Carrier:
        """What a message says of the span that sends it."""
        carrier: Carrier = {}
        inject(carrier)
        return carrier

    def close(self) -> None:
        """Send what has not been sent, for as long as the exporter's time limit."""
        self._provider.shutdown()


class _OpenRequest(RequestSpan):
    def __init__(self, span: Span) -> None:
        self._span = span

    def end(self, status: int) -> None:
        if self._span.is_recording():
            self._span.set_attribute("http.response.status_code", status)
            if status >= 500:
                self._span.set_status(Status(StatusCode.ERROR))
            self._span.end()
