"""ClickHouse: a table partitioned by load, filled from the files by INSERT … SELECT FROM s3(…).

An INSERT is not one step: it fills a table of the task's own, whose partition then replaces the load's in one. So rows of a load
appear together, a repeated task changes nothing, and undo drops a partition. ClickHouse advises no more than some thousand
partitions a table.
Source: ClickHouse documentation: HTTP interface, s3 table function, manipulating partitions.
"""

from typing import Any, Final, Protocol
from urllib.parse import quote

from loader.publishing.engines.engine import PublishedLoad, Task, TaskStatus
from loader.publishing.engines.http import EngineClient, refuse
from shared.platform.errors import TransientError
from shared.platform.settings import Settings

_TYPES: Final = {
    "timestamp[us, tz=UTC]": "DateTime64(6, 'UTC')",
    "string": "String",
    "double": "Float64",
    "int32": "Int32",
    "int64": "Int64",
}
_NAMES: Final = ("region", "datasource")
_ACCESS_KEY, _SECRET_KEY = "$access_key", "$secret_key"


class Server(Protocol):
    """Where statements run."""

    def ask(self, statement: str, *, query_id: str | None = None) -> str:
        """Run a statement and return its answer as tab-separated text, without the last line feed. With a query id it may go on
        after the answer, which is empty then. Raises: TerminalError for what the server refuses, TransientError.
        """


class HttpServer:
    """A server over its HTTP interface."""

    def __init__(self, settings: Settings) -> None:
        self._client = EngineClient(settings)

    def ask(self, statement: str, *, query_id: str | None = None) -> str:
        """As Server.ask."""
        params = {"query_id": quote(query_id)} if query_id else None
        try:
            response = self._client.request("POST", "/", body=statement, params=params)
        except TransientError as error:
            if query_id and "ReadTimeout" in error.message:
                return ""  # ClickHouse goes on with a statement that writes when its client has gone
            raise
        if response.status != 200:
            raise refuse(response)
        return response.text.rstrip("\n")


class ClickHouseEngine:
    """The adapter. server: in place of the settings'."""

    def __init__(self, settings: Settings, server: Server | None = None) -> None:
        self._settings = settings
        self._server: Server = server or HttpServer(settings)
        self._table = _quote(settings.engine_table)

    def specify(self, load: PublishedLoad, task_id: str) -> Task:
        """Make the task that takes a load in."""
        columns = ", ".join(f"{_quote(column['name'])} {_name_type(column)}" for column in load.columns)
        names = ", ".join(_quote(column["name"]) for column in load.columns)
        source = f"{self._settings.engine_s3_endpoint or self._settings.s3_endpoint}/{self._settings.s3_bucket}/{load.folder}"
        files = load.files[0] if len(load.files) == 1 else "{" + ",".join(load.files) + "}"
        staging = _quote(task_id)
        specification = {
            "create": f"CREATE TABLE IF NOT EXISTS {self._table} ({columns}) ENGINE = MergeTree "
            "PARTITION BY load_id ORDER BY (region, started_at)",
            "staging": staging,
            "insert": f"INSERT INTO {staging} ({names}) SELECT {names} "
            f"FROM s3('{source}{files}', '{_ACCESS_KEY}', '{_SECRET_KEY}', 'Parquet')",
            "load_id": load.load_id,
            "rows": load.rows,
        }
        return Task(task_id, specification)

    def specify_undo(self, load: PublishedLoad, task_id: str) -> Task:
        """Make the task that drops the load's partition."""
        return Task(task_id, {"drop": f"ALTER TABLE {self._table} DROP PARTITION {load.load_id}", "load_id": load.load_id})

    def submit(self, task: Task) -> None:
        """Run a task: an insert goes on without us."""
        specification = task.specification
        if "drop" in specification:
            self._server.ask(specification["drop"])
            return
        staging = specification["staging"]
        self._server.ask(specification["create"])
        self._server.ask(f"CREATE TABLE IF NOT EXISTS {staging} AS {self._table}")
        self._server.ask(f"TRUNCATE TABLE {staging}")
        self._server.ask(self._add_keys(specification["insert"]), query_id=task.task_id)

    def fetch_status(self, task: Task) -> TaskStatus:
        """Ask how a task stands; an insert that has ended is put in its place."""
        specification = task.specification
        if "drop" in specification:
            return TaskStatus("unknown" if self.count_rows(specification["load_id"]) else "succeeded")
        if int(self._server.ask(f"SELECT count() FROM system.processes WHERE query_id = '{task.task_id}'")):
            return TaskStatus("running")
        staging = specification["staging"]
        if not self._has_table(staging):
            is_there = self.count_rows(specification["load_id"]) == specification["rows"]
            return TaskStatus("succeeded" if is_there else "unknown")
        rows = int(self._server.ask(f"SELECT count() FROM {staging}"))
        if rows == specification["rows"]:
            self._server.ask(f"ALTER TABLE {self._table} REPLACE PARTITION {specification['load_id']} FROM {staging}")
            self._server.ask(f"DROP TABLE {staging}")
            return TaskStatus("succeeded")
        if rows == 0:
            return TaskStatus("unknown")
        return TaskStatus("failed", f"It wrote {rows} of {specification['rows']} rows; see system.query_log.")

    def cancel(self, task: Task) -> None:
        """Kill an insert, and drop what it wrote."""
        self._server.ask(f"KILL QUERY WHERE query_id = '{task.task_id}' SYNC")
        if "staging" in task.specification:
            self._server.ask(f"DROP TABLE IF EXISTS {task.specification['staging']}")

    def count_rows(self, load_id: int) -> int:
        """Count the load's rows; none where there is no table yet."""
        if not self._has_table(self._table):
            return 0
        return int(self._server.ask(f"SELECT count() FROM {self._table} WHERE load_id = {load_id}"))

    def _has_table(self, quoted: str) -> bool:
        return self._server.ask(f"EXISTS TABLE {quoted}") == "1"

    def _add_keys(self, statement: str) -> str:
        keys = {
            _ACCESS_KEY: self._settings.s3_access_key.get_secret_value(),
            _SECRET_KEY: self._settings.s3_secret_key.get_secret_value(),
        }
        for name, value in keys.items():
            statement = statement.replace(f"'{name}'", "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'")
        return statement


def _quote(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _name_type(column: dict[str, Any]) -> str:
    kind = _TYPES[column["type"]]
    if column["name"] in _NAMES:
        return f"LowCardinality({kind})"
    return f"Nullable({kind})" if column["nullable"] else kind
