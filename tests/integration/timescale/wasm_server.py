"""TimescaleDB in a WASM build of PostgreSQL, run by Node: no server to install, one connection, values as text.

with WasmServer.start() as server:
    server.run("select %(number)s::integer + 1", {"number": 41}).rows      # [["42"]]
"""

import base64
import hashlib
import json
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ui.components.build import find_node

ROOM = Path(__file__).resolve().parent
STAMP = ROOM / "node_modules" / ".lock.sha256"
_PARAMETER = re.compile(r"%\((\w+)\)s|%%")


class WasmError(Exception):
    """A statement failed; code is its SQLSTATE."""

    def __init__(self, code: str | None, message: str) -> None:
        super().__init__(f"{message} ({code})")
        self.code = code


@dataclass(frozen=True)
class TextResult:
    columns: list[str]
    rows: list[list[str | None]]


@dataclass
class WasmServer:
    """The running process."""

    process: "subprocess.Popen[str]"

    @classmethod
    def start(cls) -> Self:
        """Install the locked package when it is missing, and start. Raises: OSError, subprocess.SubprocessError, BuildError."""
        node, npm = find_node()
        digest = hashlib.sha256((ROOM / "package-lock.json").read_bytes()).hexdigest()
        if not STAMP.exists() or STAMP.read_text(encoding="utf-8") != digest:
            environment = os.environ | {"PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
            command = [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
            subprocess.run(command, cwd=ROOM, env=environment, check=True, capture_output=True, text=True)
            STAMP.write_text(digest, encoding="utf-8")
        process = subprocess.Popen(
            [str(node), "run.mjs"], cwd=ROOM, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        return cls(process)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()

    def run(self, sql: str, parameters: Mapping[str, object] | None = None) -> TextResult:
        """Run one statement; parameters are named as psycopg names them. Raises: WasmError."""
        text, values = _number_parameters(sql, parameters or {})
        return self._ask({"sql": text, "params": values})

    def run_script(self, sql: str) -> None:
        """Run a file of statements. Raises: WasmError."""
        self._ask({"script": sql})

    def copy(self, sql: str, data: bytes) -> None:
        """Run `copy … from stdin` with its data. Raises: WasmError."""
        encoded = base64.b64encode(data).decode()
        self._ask({"sql": sql.replace("from stdin", "from '/dev/blob'").rstrip(";\n "), "blob": encoded})

    def _ask(self, request: dict[str, Any]) -> TextResult:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise WasmError(None, "the process ended")
        answer = json.loads(line)
        if "error" in answer:
            raise WasmError(answer["error"]["code"], answer["error"]["message"])
        return TextResult(answer["columns"], answer["rows"])


def to_text(value: object) -> str | None:
    """A parameter as PostgreSQL reads it from text."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, dict):
        return json.dumps(value)
    if isinstance(value, (list, tuple)):
        return "{" + ",".join(_quote_item(item) for item in value) + "}"
    return str(value)


def _quote_item(item: object) -> str:
    text = to_text(item)
    return "null" if text is None else f'"{text}"' if isinstance(item, str) else text


def _number_parameters(sql: str, parameters: Mapping[str, object]) -> tuple[str, list[str | None]]:
    names = list(dict.fromkeys(name for name in _PARAMETER.findall(sql) if name))
    text = _PARAMETER.sub(lambda match: f"${names.index(match[1]) + 1}" if match[1] else "%", sql)
    return text, [to_text(parameters[name]) for name in names]
