"""Druid: native batch (index_parallel) or SQL (INSERT from EXTERN), over the router.

Both append; a load's rows become visible together when the task ends. Undo rewrites the load's time chunks without it, which
needs SQL in either case. Druid needs the extensions druid-s3-extensions, druid-parquet-extensions and druid-multi-stage-query;
its processes have the store's keys in the environment, under the names below.
Source: Apache Druid documentation: native batch ingestion, input sources, SQL-based ingestion, tasks API.
"""

import json
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import quote, urlsplit

from loader.publishing.engines.engine import PublishedLoad, Task, TaskStatus
from loader.publishing.engines.http import EngineClient, refuse
from shared.platform.errors import TransientError
from shared.platform.settings import Settings

ACCESS_KEY_VARIABLE: Final = "TRIPDECK_S3_ACCESS_KEY"
SECRET_KEY_VARIABLE: Final = "TRIPDECK_S3_SECRET_KEY"  # noqa: S105 - a name
_TIME: Final = "started_at"
# Types of the manifest: as a dimension, in EXTERN's signature.
_TYPES: Final = {"string": "string", "double": "double", "int32": "long", "int64": "long"}
# Druid advises segments of 5 million rows; the finest chunks that have a fifth of that.
_LEAST_CHUNK_ROWS: Final = 1_000_000
_GRANULARITIES: Final = (("HOUR", 1 / 24), ("DAY", 1.0), ("MONTH", 30.4))
_COARSEST: Final = "YEAR"
_MAX_TASKS: Final = 4
_AVAILABLE_MS: Final = 600_000
_STATES: Final = {"RUNNING": "running", "SUCCESS": "succeeded", "FAILED": "failed"}


def choose_granularity(load: PublishedLoad) -> str:
    """Choose the length of time chunks by how many rows a day the load has."""
    span = datetime.fromisoformat(load.last_at) - datetime.fromisoformat(load.first_at)
    rows_a_day = load.rows / max(span / timedelta(days=1), 1 / 24)
    for name, days in _GRANULARITIES:
        if rows_a_day * days >= _LEAST_CHUNK_ROWS:
            return name
    return _COARSEST


def list_chunk_bounds(load: PublishedLoad, granularity: str) -> tuple[datetime, datetime]:
    """Begin of the first time chunk and end of the last one of a load."""
    return _floor(datetime.fromisoformat(load.first_at), granularity), _next(
        _floor(datetime.fromisoformat(load.last_at), granularity), granularity
    )


class DruidEngine:
    """What native batch and SQL have in common: status, cancel, count, undo."""

    def __init__(self, settings: Settings) -> None:
        self._client = EngineClient(settings)
        self._settings = settings
        self._table = settings.engine_table

    def specify(self, load: PublishedLoad, task_id: str) -> Task:
        """Make the task that takes a load in: native batch."""
        specification = {
            "type": "index_parallel",
            "id": task_id,
            "spec": {
                "dataSchema": self._make_schema(load),
                "ioConfig": {
                    "type": "index_parallel",
                    "appendToExisting": True,
                    "inputSource": self._make_source(load),
                    "inputFormat": {"type": "parquet"},
                },
                "tuningConfig": {
                    "type": "index_parallel",
                    "maxNumConcurrentSubTasks": _MAX_TASKS,
                    "partitionsSpec": {"type": "dynamic"},
                    "awaitSegmentAvailabilityTimeoutMillis": _AVAILABLE_MS,
                    "maxParseExceptions": 0,
                },
            },
            "context": {"useConcurrentLocks": True},
        }
        return Task(task_id, specification)

    def specify_undo(self, load: PublishedLoad, task_id: str) -> Task:
        """Make the task that rewrites the load's time chunks without it."""
        granularity = choose_granularity(load)
        first, last = list_chunk_bounds(load, granularity)
        period = f"__time >= TIMESTAMP '{first}' AND __time < TIMESTAMP '{last}'"
        table = _quote(self._table)
        query = (
            f"REPLACE INTO {table} OVERWRITE WHERE {period} "
            f'SELECT * FROM {table} WHERE {period} AND "load_id" <> {load.load_id} PARTITIONED BY {granularity}'
        )
        return self._make_sql(query, task_id)

    def submit(self, task: Task) -> None:
        """Send a task to where its kind is taken."""
        is_sql = "query" in task.specification
        path = "/druid/v2/sql/task" if is_sql else "/druid/indexer/v1/task"
        response = self._client.request("POST", path, json=task.specification)
        if response.status >= 400 and self.fetch_status(task).state == "unknown":
            raise refuse(response)

    def fetch_status(self, task: Task) -> TaskStatus:
        """Ask the Overlord."""
        response = self._client.request("GET", f"/druid/indexer/v1/task/{quote(task.task_id)}/status")
        if response.status == 404:
            return TaskStatus("unknown")
        if response.status != 200:
            raise refuse(response)
        found = json.loads(response.text)["status"]
        if found is None:
            return TaskStatus("unknown")
        state: Any = _STATES.get(found["statusCode"])
        if state is None:
            raise TransientError(f"Druid tells an unknown state: {found['statusCode']}.", code="engine_unavailable")
        return TaskStatus(state, found.get("errorMsg") or "")

    def cancel(self, task: Task) -> None:
        """Shut the task down."""
        response = self._client.request("POST", f"/druid/indexer/v1/task/{quote(task.task_id)}/shutdown")
        if response.status >= 400 and response.status != 404:
            raise refuse(response)

    def count_rows(self, load_id: int) -> int:
        """Count the load's rows by SQL; none where there is no such table yet."""
        tables = "SELECT COUNT(*) AS n FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = 'druid' AND TABLE_NAME = ?"
        if not self._count(tables, "VARCHAR", self._table):
            return 0
        return self._count(f'SELECT COUNT(*) AS n FROM {_quote(self._table)} WHERE "load_id" = ?', "BIGINT", load_id)

    def _count(self, query: str, kind: str, value: object) -> int:
        request = {"query": query, "parameters": [{"type": kind, "value": value}]}
        response = self._client.request("POST", "/druid/v2/sql", json=request)
        if response.status != 200:
            raise refuse(response)
        count: int = json.loads(response.text)[0]["n"]
        return count

    def _make_sql(self, query: str, task_id: str) -> Task:
        # The task of a query is named by its id, with this before it.
        context = {
            "sqlQueryId": task_id,
            "maxNumTasks": _MAX_TASKS + 1,
            "waitUntilSegmentsLoad": True,
            "finalizeAggregations": False,
            "useConcurrentLocks": True,
        }
        return Task(f"query-{task_id}", {"query": query, "context": context})

    def _make_schema(self, load: PublishedLoad) -> dict[str, Any]:
        dimensions = [
            {"type": _TYPES[column["type"]], "name": column["name"]} for column in load.columns if column["name"] != _TIME
        ]
        return {
            "dataSource": self._table,
            "timestampSpec": {"column": _TIME, "format": "auto"},
            "dimensionsSpec": {"dimensions": dimensions},
            "granularitySpec": {"segmentGranularity": choose_granularity(load), "queryGranularity": "NONE", "rollup": False},
        }

    def _make_source(self, load: PublishedLoad) -> dict[str, Any]:
        endpoint = urlsplit(self._settings.engine_s3_endpoint or self._settings.s3_endpoint)
        return {
            "type": "s3",
            "uris": [f"s3://{self._settings.s3_bucket}/{load.folder}{name}" for name in load.files],
            "endpointConfig": {"url": endpoint.netloc, "signingRegion": self._settings.s3_region},
            "clientConfig": {"protocol": endpoint.scheme, "enablePathStyleAccess": True},
            "properties": {
                "accessKeyId": {"type": "environment", "variable": ACCESS_KEY_VARIABLE},
                "secretAccessKey": {"type": "environment", "variable": SECRET_KEY_VARIABLE},
            },
        }


class DruidSqlEngine(DruidEngine):
    """Druid by SQL."""

    def specify(self, load: PublishedLoad, task_id: str) -> Task:
        """Make the task that takes a load in: INSERT from EXTERN."""
        # A Parquet timestamp comes as milliseconds.
        names = [column["name"] for column in load.columns if column["name"] != _TIME]
        signature = [{"name": _TIME, "type": "long"}]
        signature += [
            {"name": column["name"], "type": _TYPES[column["type"]]} for column in load.columns if column["name"] != _TIME
        ]
        extern = ", ".join(_quote_text(json.dumps(part)) for part in (self._make_source(load), {"type": "parquet"}, signature))
        query = (
            f"INSERT INTO {_quote(self._table)} "
            f'SELECT MILLIS_TO_TIMESTAMP("{_TIME}") AS __time, {", ".join(map(_quote, names))} '
            f"FROM TABLE(EXTERN({extern})) PARTITIONED BY {choose_granularity(load)} CLUSTERED BY {_quote('origin_geohash')}"
        )
        return self._make_sql(query, task_id)


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _quote_text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _floor(at: datetime, granularity: str) -> datetime:
    begins = {"HOUR": {}, "DAY": {"hour": 0}, "MONTH": {"hour": 0, "day": 1}, "YEAR": {"hour": 0, "day": 1, "month": 1}}
    return at.replace(minute=0, second=0, microsecond=0, **begins[granularity])  # type: ignore[arg-type]


def _next(begin: datetime, granularity: str) -> datetime:
    longest = {"HOUR": timedelta(hours=1), "DAY": timedelta(days=1), "MONTH": timedelta(days=31), "YEAR": timedelta(days=366)}
    return _floor(begin + longest[granularity], granularity)
