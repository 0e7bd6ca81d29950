"""The inspection process: looks at one file's bytes after another for the hub, which kills it when that takes too long.

    python -m loader.hub.inspection.process SOCKET TIMEOUT_S MEMORY_BYTES

It takes a JSON text and the file's bytes, and gives a JSON text: whatever a file makes of this process, the hub runs
nothing of it. In between it may ask for the options remembered for files with the same header, and for place sets; the hub has
the database.
"""

import faulthandler
import json
import logging
import resource
import signal
import sys
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from loader.formats import FileParts, LoadOptions, inspect_format, inspect_parts, warm_up
from loader.hub.inspection.time_limits import GDAL_S
from loader.place_files import PlaceOptions, read_place_file
from loader.storage.place_lookups import attach_places, offer_places
from loader.storage.remembered_options import Beginning, complete_options
from shared.places.storing import write_new_places
from shared.platform.errors import FileFormatError, TripdeckError
from shared.platform.memory import give_back_code

LOG = logging.getLogger(__name__)

_LATE_S: Final = 2.0
"""The hub kills at the time limit; a process whose hub is gone ends itself this much later."""


class Inspector:
    """Answers one request after another over a connection."""

    def __init__(self, connection: "Connection[Any, Any]", *, timeout_s: float) -> None:
        self._connection = connection
        self._timeout_s = timeout_s

    def run(self) -> None:
        """Answer until the hub closes the connection."""
        self._send({"ready": True})
        while True:
            try:
                request, sample = json.loads(self._connection.recv_bytes()), self._connection.recv_bytes()
            except EOFError:
                return
            late_s = _LATE_S + (GDAL_S if request["kind"] == "places" else 0)
            faulthandler.dump_traceback_later(self._timeout_s + late_s, exit=True)
            answer = self._answer(request, sample)
            faulthandler.cancel_dump_traceback_later()
            self._send(answer)

    def _answer(self, request: dict[str, Any], sample: bytes) -> dict[str, Any]:
        try:
            return {"inspection": self._inspect(request, sample)}
        except TripdeckError as found:
            error = offer_places(found, self._match_places) if isinstance(found, FileFormatError) else found
            facts = {name: fact for name, fact in error.facts.items() if fact is not None}
            is_file = isinstance(error, FileFormatError)
            return {"error": {"code": error.error_code, "message": error.message, "facts": facts, "is_file": is_file}}
        except MemoryError:
            return {"broken": "memory"}
        except BaseException as error:  # noqa: BLE001 - the process border: a panic of a library is no Exception
            traceback.print_exc()
            return {"broken": type(error).__name__}

    def _inspect(self, request: dict[str, Any], sample: bytes) -> dict[str, Any]:
        if request["kind"] == "places":
            return _inspect_places(request, sample)
        file_name, is_whole = request["file_name"], request["is_whole"]
        options = LoadOptions.from_json(request["options"])
        ranges = [(at, size) for at, size in request["parts"]]
        parts = FileParts.from_body(sample, ranges, size=request["bytes"] or 0) if ranges else None
        if parts:
            begun = Beginning(parts.beginning, file_name, is_whole=False, ranges=parts)
        else:
            begun = Beginning(sample, file_name, is_whole=is_whole)
        options = attach_places(options, self._fetch_places)
        options, reading = complete_options(begun, options, fetch=self._fetch_remembered, find_places=self._fetch_places)
        if parts:
            inspection = inspect_parts(parts, file_name=file_name, options=options)
        else:
            inspection = inspect_format(sample, file_name=file_name, options=options, is_whole=is_whole)
        return {**inspection.to_json(), "as_last_time": reading.to_json() if reading else None}

    def _fetch_remembered(self, header_hashes: Sequence[str]) -> Mapping[str, Any] | None:
        row: Mapping[str, Any] | None = self._ask("remembered", header_hashes=list(header_hashes))
        return row

    def _fetch_places(self, name: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self._ask("places", name=name)
        if "problem" in found:
            raise FileFormatError(found["problem"], code="no_such_places", parameter="places")
        return found

    def _match_places(self, columns: Sequence[int], values: Sequence[str]) -> Sequence[Mapping[str, Any]]:
        rows: Sequence[Mapping[str, Any]] = self._ask("match", columns=list(columns), values=list(values))
        return rows

    def _ask(self, what: str, **facts: object) -> Any:  # noqa: ANN401 - plain JSON
        """Have the hub look something up in the database."""
        self._send({"ask": what, **facts})
        return json.loads(self._connection.recv_bytes())

    def _send(self, message: dict[str, Any]) -> None:
        self._connection.send_bytes(json.dumps(message, default=str).encode())


def _inspect_places(request: dict[str, Any], data: bytes) -> dict[str, Any]:
    found = read_place_file(data, file_name=request["file_name"], options=PlaceOptions.from_json(request["options"]))
    new_places = {"new_places": write_new_places(found.places)} if request["wants_places"] else {}
    return {**found.to_json(), **new_places}


def main() -> None:
    """Warm up, limit the memory, and answer requests."""
    number, timeout_s, memory_bytes = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the hub, which closes the connection
    warm_up()
    give_back_code()
    limit_memory(memory_bytes)
    with suppress(BrokenPipeError):
        Inspector(Connection(number), timeout_s=timeout_s).run()


def limit_memory(extra_bytes: int) -> None:
    """Limit this process's memory to so much more than it has, and its core file to 0 bytes; on Linux only."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    status = Path("/proc/self/status")
    if status.exists():
        fields = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
        limit = int(fields["VmData"].split()[0]) * 1024 + extra_bytes
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


if __name__ == "__main__":
    main()
