"""A stand-in for Druid over HTTP: the Overlord's task endpoints, the SQL task endpoint and SQL, as far as Tripdeck uses them.

It validates what it gets as the documentation describes it, reads the Parquet files from the store itself, and keeps rows by
load. It is no Druid: what the documentation does not say, it does not know.
"""

import io
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import jsonschema
import pyarrow.parquet as pq
from minio import Minio

from shared.platform.settings import Settings

_PASSWORD: Final = {
    "type": "object",
    "properties": {"type": {"const": "environment"}, "variable": {"type": "string", "minLength": 1}},
    "required": ["type", "variable"],
    "additionalProperties": False,
}


def _make_object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


S3_SOURCE: Final = _make_object(
    type={"const": "s3"},
    uris={"type": "array", "minItems": 1, "items": {"type": "string", "pattern": "^s3://[^/]+/.+"}},
    # The endpoint's URL stands without its protocol, which the client's configuration has.
    endpointConfig=_make_object(url={"type": "string", "pattern": "^[^/]+$"}, signingRegion={"type": "string", "minLength": 1}),
    clientConfig=_make_object(protocol={"enum": ["http", "https"]}, enablePathStyleAccess={"type": "boolean"}),
    properties=_make_object(accessKeyId=_PASSWORD, secretAccessKey=_PASSWORD),
)
DIMENSION: Final = _make_object(type={"enum": ["string", "long", "float", "double"]}, name={"type": "string", "minLength": 1})
NATIVE_TASK: Final = _make_object(
    type={"const": "index_parallel"},
    id={"type": "string", "pattern": "^[A-Za-z0-9_.-]+$"},
    spec=_make_object(
        dataSchema=_make_object(
            dataSource={"type": "string", "minLength": 1},
            timestampSpec=_make_object(column={"type": "string"}, format={"enum": ["auto", "iso", "millis"]}),
            dimensionsSpec=_make_object(dimensions={"type": "array", "minItems": 1, "items": DIMENSION}),
            granularitySpec=_make_object(
                segmentGranularity={"enum": ["HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR", "ALL"]},
                queryGranularity={"enum": ["NONE"]},
                rollup={"const": False},  # true, the default, would merge trips
            ),
        ),
        ioConfig=_make_object(
            type={"const": "index_parallel"},
            appendToExisting={"const": True},  # false would replace other loads' trips
            inputSource=S3_SOURCE,
            inputFormat=_make_object(type={"const": "parquet"}),
        ),
        tuningConfig=_make_object(
            type={"const": "index_parallel"},
            maxNumConcurrentSubTasks={"type": "integer", "minimum": 1},
            partitionsSpec=_make_object(type={"const": "dynamic"}),  # what appending demands
            awaitSegmentAvailabilityTimeoutMillis={"type": "integer", "minimum": 0},
            maxParseExceptions={"const": 0},
        ),
    ),
    context=_make_object(useConcurrentLocks={"const": True}),
)
SQL_TASK: Final = _make_object(
    query={"type": "string"},
    context=_make_object(
        sqlQueryId={"type": "string", "pattern": "^[A-Za-z0-9_.-]+$"},
        maxNumTasks={"type": "integer", "minimum": 2},
        waitUntilSegmentsLoad={"const": True},
        finalizeAggregations={"const": False},
        useConcurrentLocks={"const": True},
    ),
)
INSERT: Final = re.compile(
    r"""INSERT\ INTO\ "(?P<table>\w+)"\ SELECT\ MILLIS_TO_TIMESTAMP\("started_at"\)\ AS\ __time,\ (?P<names>[\w", ]+)
    \ FROM\ TABLE\(EXTERN\('(?P<source>.+)',\ '(?P<format>.+)',\ '(?P<signature>.+)'\)\)
    \ PARTITIONED\ BY\ (HOUR|DAY|MONTH|YEAR)\ CLUSTERED\ BY\ "\w+"$""",
    re.VERBOSE,
)
_PERIOD: Final = r"__time >= TIMESTAMP '([\d :-]+)' AND __time < TIMESTAMP '([\d :-]+)'"
REPLACE: Final = re.compile(
    rf'REPLACE INTO "(\w+)" OVERWRITE WHERE {_PERIOD} SELECT \* FROM "\1" WHERE {_PERIOD} AND "load_id" <> (\d+) '
    r"PARTITIONED BY (HOUR|DAY|MONTH|YEAR)$"
)
_PARQUET_TYPES: Final = {"int32": "long", "int64": "long", "double": "double", "string": "string"}


@dataclass
class Overlord:
    """Tasks by id, and the rows of each table by load. hold: tasks stay RUNNING while it is set; fails: the next task's error.

    loses_answers: so many tasks are taken and never answered; refuses: so many requests get 503.
    """

    settings: Settings
    port: int = 0
    tasks: dict[str, dict[str, Any]] = field(default_factory=dict)
    rows: dict[str, dict[int, list[datetime]]] = field(default_factory=dict)
    submissions: list[str] = field(default_factory=list)
    hold: threading.Event = field(default_factory=threading.Event)
    fails: str | None = None
    loses_answers: int = 0
    refuses: int = 0

    def submit_native(self, task: dict[str, Any]) -> tuple[int, Any]:
        """POST /druid/indexer/v1/task."""
        jsonschema.validate(task, NATIVE_TASK)
        schema, source = task["spec"]["dataSchema"], task["spec"]["ioConfig"]["inputSource"]
        dimensions = {one["name"]: one["type"] for one in schema["dimensionsSpec"]["dimensions"]}
        return self._take(task["id"], schema["dataSource"], source, {schema["timestampSpec"]["column"]: "long", **dimensions})

    def submit_sql(self, task: dict[str, Any]) -> tuple[int, Any]:
        """POST /druid/v2/sql/task."""
        jsonschema.validate(task, SQL_TASK)
        task_id = f"query-{task['context']['sqlQueryId']}"
        if found := INSERT.match(task["query"]):
            source, form, signature = (json.loads(found[name].replace("''", "'")) for name in ("source", "format", "signature"))
            jsonschema.validate(source, S3_SOURCE)
            assert form == {"type": "parquet"}
            columns = {one["name"]: one["type"] for one in signature}
            assert {name.strip().strip('"') for name in found["names"].split(",")} == columns.keys() - {"started_at"}
            status, answer = self._take(task_id, found["table"], source, columns)
        elif found := REPLACE.match(task["query"]):
            table, first, last, *again, load_id, granularity = found.groups()
            assert again == [first, last]
            for bound in (first, last):
                assert is_aligned(datetime.fromisoformat(bound), granularity), "OVERWRITE WHERE must match the partitions"
            status, answer = self._replace(task_id, table, (first, last), int(load_id))
        else:
            return 400, {"error": "Invalid SQL", "errorMessage": task["query"]}
        return status, {"taskId": task_id, "state": "RUNNING"} if status == 200 else answer

    def fetch_status(self, task_id: str) -> tuple[int, Any]:
        """GET /druid/indexer/v1/task/{id}/status."""
        found = self.tasks.get(task_id)
        if found is None:
            return 404, {"error": f"No task information found for task with id: [{task_id}]"}
        if not self.hold.is_set() and found["statusCode"] == "RUNNING":
            self._end(found)
        shown = {name: found[name] for name in ("id", "statusCode", "errorMsg", "dataSource")}
        return 200, {"task": task_id, "status": shown}

    def shut_down(self, task_id: str) -> tuple[int, Any]:
        """POST /druid/indexer/v1/task/{id}/shutdown."""
        found = self.tasks.get(task_id)
        if found and found["statusCode"] == "RUNNING":
            found |= {"statusCode": "FAILED", "errorMsg": "Shutdown request from user"}
        return 200, {"task": task_id}

    def ask(self, request: dict[str, Any]) -> tuple[int, Any]:
        """POST /druid/v2/sql."""
        [parameter] = request["parameters"]
        if "INFORMATION_SCHEMA" in request["query"]:
            assert parameter["type"] == "VARCHAR"
            return 200, [{"n": int(parameter["value"] in self.rows)}]
        found = re.fullmatch(r'SELECT COUNT\(\*\) AS n FROM "(\w+)" WHERE "load_id" = \?', request["query"])
        if not found or found[1] not in self.rows or parameter["type"] != "BIGINT":
            return 400, {"error": "druidException", "errorMessage": f"Object not found: {request['query']}"}
        return 200, [{"n": len(self.rows[found[1]].get(parameter["value"], []))}]

    def _take(self, task_id: str, table: str, source: dict[str, Any], columns: dict[str, str]) -> tuple[int, Any]:
        rows: dict[int, list[datetime]] = {}
        for uri in source["uris"]:
            found = self._read(uri, columns)
            for load_id, at in zip(found["load_id"].to_pylist(), found["started_at"].to_pylist(), strict=True):
                rows.setdefault(load_id, []).append(at.replace(tzinfo=None))
        return self._run(task_id, table, lambda kept: [kept.setdefault(one, []).extend(times) for one, times in rows.items()])

    def _replace(self, task_id: str, table: str, period: tuple[str, str], load_id: int) -> tuple[int, Any]:
        first, last = map(datetime.fromisoformat, period)

        def remove(kept: dict[int, list[datetime]]) -> None:
            kept[load_id] = [at for at in kept.get(load_id, []) if not first <= at < last]

        return self._run(task_id, table, remove)

    def _run(self, task_id: str, table: str, work: Any) -> tuple[int, Any]:
        self.submissions.append(task_id)
        if task_id in self.tasks:
            return 400, {"error": f"Task[{task_id}] already exists"}
        self.tasks[task_id] = {"id": task_id, "statusCode": "RUNNING", "errorMsg": None, "dataSource": table, "work": work}
        return 200, {"task": task_id}

    def _end(self, task: dict[str, Any]) -> None:
        if self.fails is not None:
            task |= {"statusCode": "FAILED", "errorMsg": self.fails}
            self.fails = None
            return
        task["work"](self.rows.setdefault(task["dataSource"], {}))
        task["statusCode"] = "SUCCESS"

    def _read(self, uri: str, columns: dict[str, str]) -> Any:
        parts = urlsplit(uri)
        client = Minio(
            endpoint=urlsplit(self.settings.s3_endpoint).netloc,
            access_key=self.settings.s3_access_key.get_secret_value(),
            secret_key=self.settings.s3_secret_key.get_secret_value(),
            secure=False,
            region=self.settings.s3_region,
        )
        response = client.get_object(bucket_name=parts.netloc, object_name=parts.path[1:])
        table = pq.read_table(io.BytesIO(response.read()))
        response.close()
        types = {name: _PARQUET_TYPES.get(str(table.schema.field(name).type), "long") for name in columns}
        assert types == columns, "columns and their types must be those of the files"
        return table


def is_aligned(at: datetime, granularity: str) -> bool:
    """Whether an instant begins a time chunk."""
    parts = {"HOUR": (), "DAY": (at.hour,), "MONTH": (at.hour, at.day - 1), "YEAR": (at.hour, at.day - 1, at.month - 1)}
    return not any((at.minute, at.second, at.microsecond, *parts[granularity]))


@contextmanager
def running_overlord(settings: Settings) -> Iterator[Overlord]:
    """The stand-in on a free port of loopback."""
    overlord = Overlord(settings)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = re.fullmatch("/druid/indexer/v1/task/([^/]+)/status", self.path)
            self._answer(*(overlord.fetch_status(unquote(found[1])) if found else (404, {"error": "no such path"})))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if found := re.fullmatch("/druid/indexer/v1/task/([^/]+)/shutdown", self.path):
                self._answer(*overlord.shut_down(unquote(found[1])))
                return
            calls = {
                "/druid/indexer/v1/task": overlord.submit_native,
                "/druid/v2/sql/task": overlord.submit_sql,
                "/druid/v2/sql": overlord.ask,
            }
            try:
                status, answer = calls[self.path](json.loads(body))
            except (jsonschema.ValidationError, AssertionError, KeyError) as error:
                status, answer = 400, {"error": f"{type(error).__name__}: {error}"[:400]}
            if overlord.loses_answers and self.path.endswith("task"):
                overlord.loses_answers -= 1
                self.close_connection = True
                return
            self._answer(status, answer)

        def _answer(self, status: int, answer: Any) -> None:
            if overlord.refuses:
                overlord.refuses -= 1
                status, answer = 503, {}
            data = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    overlord.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield overlord
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
