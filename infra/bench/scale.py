"""The proof at scale: generate a file, load it, check every count, and measure rate, memory, storage and questions."""

import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine

from infra.bench.duckdb_questions import DuckQuestions
from infra.bench.questions import Timing, time_questions
from infra.bench.verify import list_differences, list_missing_samples
from infra.bench.watch import LoadCurve, watch_load
from infra.state import StackState
from loader.cli.client import HubClient
from loader.sample.generate import Tally, generate_trips
from shared.compaction.merge_policy import list_merge_candidates, select_loads
from shared.compaction.segments import LEAST_TRIPS, clear_batch_blocks, compact_loads
from shared.index.snapshot import cache_index
from shared.platform.errors import TerminalError
from shared.platform.settings import load_settings
from shared.questions.catalog import list_regions
from shared.services.database import connect_database, execute, execute_alone, transaction

Report = Callable[[str], None]

_SAMPLES: Final = 200
_COUNTED_TABLES: Final = (
    "trip",
    "load_batch",
    "rollup_week",
    "batch_block",
    "segment_day",
    "segment_cell",
    "segment_block",
    "segment_flow",
)
_POLL_S: Final = 0.5


@dataclass
class ScaleResult:
    """What one run measured. Units: bytes, seconds; storage in bytes per stored trip, of all loads."""

    rows: int
    file_bytes: int
    generate_s: float
    upload_s: float
    load_s: float
    rows_per_s: float
    first_tenth_rows_per_s: float
    last_tenth_rows_per_s: float
    worker_peak_bytes: int
    bytes_per_row: float
    storage: dict[str, float]
    differences: list[str]
    missing_samples: list[str]
    questions: list[Timing]

    @property
    def is_right(self) -> bool:
        """Whether every count and every sampled row agrees."""
        return not self.differences and not self.missing_samples

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {**asdict(self), "is_right": self.is_right}


def run_scale(state: StackState, *, rows: int, seed: int, repeats: int, report: Report) -> ScaleResult:
    """Generate, load, check and measure over a running stack; the file is removed afterwards.

    Raises: TerminalError when the load does not succeed.
    """
    environment = {**os.environ, **state.environment}
    settings = load_settings({name: value for name, value in environment.items() if name.startswith("TRIPDECK_")})
    path = settings.data_dir / f"scale-{rows}.csv"
    report(f"Generating {rows:,} rows …")
    began = time.monotonic()
    tally = generate_trips(path, rows=rows, seed=seed)
    generate_s = time.monotonic() - began
    try:
        began = time.monotonic()
        load_id = _upload(HubClient(state.api_url), path, report)
        upload_s = time.monotonic() - began
        curve = watch_load(HubClient(state.api_url), state, load_id, report=report)
        _require_success(curve.load, tally)
        report("Checking …")
        engine = cache_index(connect_database(settings, statement_timeout_ms=0), mib=settings.block_cache_mib)
        differences = list_differences(engine, load_id, tally)
        missing = list_missing_samples(engine, path, samples=_SAMPLES, seed=seed)
    finally:
        path.unlink(missing_ok=True)
    report("Compacting …")
    wait_for_compaction(engine)
    # While the checks read, nothing that was removed could be tidied up; autovacuum would some minutes later.
    clear_batch_blocks(engine)
    execute_alone(engine, "vacuum_rollup_week")
    report("Asking …")
    with transaction(engine) as connection:
        connection.exec_driver_sql("analyze")
        storage = {row.table_name: row.bytes for row in execute(connection, "list_storage")}
        stored_rows = sum(region["trips"] for region in list_regions(connection))
    return ScaleResult(
        rows,
        tally.bytes,
        generate_s,
        upload_s,
        curve.seconds,
        curve.rows_per_s,
        *_edge_rates(curve),
        curve.worker_peak_bytes,
        sum(storage.get(name, 0) for name in _COUNTED_TABLES) / stored_rows,
        {name: size / stored_rows for name, size in storage.items()},
        differences,
        missing,
        _time_questions(engine, settings.data_dir, repeats=repeats, seed=seed),
    )


def _time_questions(engine: Engine, folder: Path, *, repeats: int, seed: int) -> list[Timing]:
    """Ask, and ask DuckDB the same where it is installed."""
    if find_spec("duckdb") is None:
        return time_questions(engine, repeats=repeats, seed=seed)
    with DuckQuestions.copy(engine, folder, is_sorted=False) as duck:
        return time_questions(engine, repeats=repeats, seed=seed, duck=duck)


def wait_for_compaction(engine: Engine) -> None:
    """Wait until no compaction is due. A worker compacts; this process does when no worker is at it."""
    while True:
        if compact_loads(engine) == 0:
            with transaction(engine) as connection:
                if not select_loads(list_merge_candidates(connection), least_trips=LEAST_TRIPS)[0]:
                    return
            time.sleep(_POLL_S)


def _upload(client: HubClient, path: Path, report: Report) -> int:
    report(f"Uploading {path.stat().st_size:,} bytes …")
    with path.open("rb") as stream:
        answer = client.put_file(stream, file_name=path.name, size=path.stat().st_size, params={})
    return int(answer["load_id"])


def _require_success(load: dict[str, Any], tally: Tally) -> None:
    if load["state"] != "succeeded":
        raise TerminalError(f"The load ended {load['state']}: {load['error_message']}")
    if (load["rows_read"], load["rows_loaded"]) != (tally.rows, tally.rows_loaded):
        raise TerminalError(f"The load counts {json.dumps(load)}, the file {tally.rows} rows.")


def _edge_rates(curve: LoadCurve) -> tuple[float, float]:
    """Rates of the first and the last tenth, without the very ends, where not all threads are at work."""
    return curve.rate_between(0.02, 0.12), curve.rate_between(0.88, 0.98)
