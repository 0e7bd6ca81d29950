"""Traces: one from a request through the queue to the COPY, as a collector gets it from real processes; none when it is off."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from sqlalchemy import Engine

from infra.environment import make_environment
from shared.platform.errors import SettingsError
from shared.platform.settings import Settings
from shared.platform.tracing import make_tracing
from tests.hub import ROOT, HubServer
from tests.loading import HEADER, ROW, running_worker, wait_for_state, wait_until

TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


PUT = "PUT /api/v1/files/{file_name}"
# The planner loads a load's only batch itself; several get messages.
PATHS = {(PUT, "plan_load", "batch", "store batch", "COPY"), (PUT, "plan_load", "load_batch", "batch", "store batch", "COPY")}


@dataclass(frozen=True)
class Sent:
    """A span, with the service that sent it."""

    service: str
    span: Span

    @property
    def key(self) -> str:
        return self.span.span_id.hex()


@contextmanager
def running_collector() -> Iterator[tuple[str, dict[str, Sent]]]:
    """Takes OTLP over HTTP; gives its URL and the spans by id."""
    spans: dict[str, Sent] = {}

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = ExportTraceServiceRequest.FromString(self.rfile.read(int(self.headers["Content-Length"])))
            for resource in sent.resource_spans:
                service = {fact.key: fact.value.string_value for fact in resource.resource.attributes}["service.name"]
                found = [Sent(service, span) for scope in resource.scope_spans for span in scope.spans]
                spans.update({one.key: one for one in found})
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", spans
    finally:
        server.shutdown()
        server.server_close()


def list_paths(spans: dict[str, Sent], name: str) -> set[tuple[str, ...]]:
    """Names of spans from those without a parent to those of a name."""

    def climb(one: Sent) -> tuple[str, ...]:
        parent = spans.get(one.span.parent_span_id.hex())
        return (*(climb(parent) if parent else ()), one.span.name)

    return {climb(one) for one in list(spans.values()) if one.span.name == name}


def test_a_request_is_followed_to_the_copy(
    settings: Settings, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_collector() as (url, spans):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "200")
        hub = HubServer.start(settings, tmp_path)
        try:
            with running_worker(make_environment(settings), tmp_path / "worker.log", batch_bytes=10_000):
                headers = {"traceparent": f"00-{TRACE}-{CALLER}-01"}
                for rows in (1, 500):
                    answer = hub.ask("PUT", "/api/v1/files/trips.csv", body=HEADER + ROW * rows, headers=headers)
                    wait_for_state(engine, answer.json()["load_id"], "succeeded", "failed")
                wait_until(lambda: list_paths(spans, "COPY") == PATHS, what="for spans")
        finally:
            hub.stop()
    by_name = {one.span.name: one for one in spans.values()}
    assert by_name[PUT].span.parent_span_id.hex() == CALLER
    assert {one.span.trace_id.hex() for one in spans.values()} == {TRACE}
    assert {one.service for one in spans.values() if one.span.name != PUT} == {"tripdeck-worker"}
    assert by_name[PUT].service == "tripdeck-hub"
    assert {"read slice", "parse", "sort and encode"} <= set(by_name)


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)


def test_no_exporter_is_imported_when_it_is_off() -> None:
    code = "import sys, loader.hub.main, loader.worker.process, shared.platform.tracing as t; t.make_tracing('hub', {{{}}}); "
    code += "print(any(name.startswith(('opentelemetry.exporter', 'opentelemetry.sdk.trace')) for name in sys.modules))"
    for environment, is_imported in (("", False), ("'OTEL_TRACES_EXPORTER': 'console'", True)):
        assert run_python(code.format(environment)).stdout.strip() == str(is_imported)


def test_without_the_packages_the_extra_is_named() -> None:
    code = "import sys; sys.modules['opentelemetry'] = None; import shared.platform.tracing as t; "
    code += "t.make_tracing('hub', {'OTEL_TRACES_EXPORTER': 'otlp'})"
    assert "pip install 'tripdeck[tracing]'" in run_python(code).stderr


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"},
        {"OTEL_SDK_DISABLED": "true", "OTEL_TRACES_EXPORTER": "otlp"},
    ],
)
def test_it_is_off_unless_it_is_asked_for(environment: dict[str, str]) -> None:
    assert not make_tracing("hub", environment).is_on


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "zipkin is none of otlp, console and none"),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "http/protobuf only"),
    ],
)
def test_what_there_is_not_is_refused(environment: dict[str, str], reason: str) -> None:
    with pytest.raises(SettingsError, match=reason):
        make_tracing("hub", environment)
