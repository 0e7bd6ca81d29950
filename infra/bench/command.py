"""`tripdeck bench …`: the benchmarks as commands."""

import json
import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from loader.cli.session import report_errors

if TYPE_CHECKING:
    from infra.state import StackState

bench = typer.Typer(help="Measure the running local stack.", no_args_is_help=True)


@bench.command()
def scale(
    *,
    rows: Annotated[int, typer.Option(help="Rows to generate and load.")] = 1_000_000,
    seed: Annotated[int, typer.Option(help="Seed of the generated file.")] = 1,
    repeats: Annotated[int, typer.Option(help="Times each kind of question is asked.")] = 40,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Generate, load and check many rows; print rates, memory, bytes a row and the time questions take."""
    from infra.bench.scale import run_scale

    with report_errors(is_json=as_json):
        result = run_scale(_find_stack(), rows=rows, seed=seed, repeats=repeats, report=_tell)
        if as_json:
            sys.stdout.write(json.dumps(result.to_json(), indent=2) + "\n")
        else:
            _print(result)
    if not result.is_right:
        raise typer.Exit(1)


@bench.command()
def clients(
    *,
    rows: Annotated[int, typer.Option(help="Rows of each of the two loads.")] = 8_000_000,
    count: Annotated[int, typer.Option("--clients", help="Concurrent clients.")] = 16,
    pause_s: Annotated[float, typer.Option("--pause", help="Seconds between an answer and the next question of a client.")] = 1.0,
    seed: Annotated[int, typer.Option(help="Seed of files and boxes; another one each time, or the files are known.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Ask about random boxes with concurrent clients, idle and during a load; print latencies and the load's rate."""
    from infra.bench.concurrent_clients import run_clients
    from shared.platform.settings import load_settings

    with report_errors(is_json=as_json):
        state = _find_stack()
        settings = load_settings({**os.environ, **state.environment})
        found = run_clients(state, settings, rows=rows, clients=count, pause_s=pause_s, seed=seed, report=_tell)
        if as_json:
            sys.stdout.write(json.dumps(found.to_json(), indent=2) + "\n")
            return
        idle = (found.idle_p50_ms, found.idle_p95_ms, found.idle_questions)
        during_load = (found.during_load_p50_ms, found.during_load_p95_ms, found.during_load_questions)
        for name, (p50, p95, questions) in (("idle", idle), ("during load", during_load)):
            sys.stdout.write(f"{name:11}  p50 {p50:8.1f} ms   p95 {p95:8.1f} ms   {questions} questions\n")
        alone, with_clients = found.alone_rows_per_s, found.during_load_rows_per_s
        sys.stdout.write(f"load         alone {alone:,.0f} rows/s, with clients {with_clients:,.0f} rows/s\n")


@bench.command()
def soak(
    *,
    minutes: Annotated[float, typer.Option(help="How long to load and kill.")] = 10.0,
    seed: Annotated[int, typer.Option(help="Seed of files and victims.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Load files while something is killed every few seconds; then check that every trip is there once. Exit status 1 if not."""
    from infra.bench.soak import run_soak

    with report_errors(is_json=as_json):
        result = run_soak(_find_stack(), minutes=minutes, seed=seed, report=_tell)
        if as_json:
            sys.stdout.write(json.dumps(result.to_json(), indent=2) + "\n")
        else:
            counts = {"killed": result.kills, "loads": result.ends}
            for name, counter in counts.items():
                sys.stdout.write(f"{name:<9}" + ", ".join(f"{count} {what}" for what, count in counter.most_common()) + "\n")
            sys.stdout.write(f"settled  {result.settle_s} s after the last kill, at most\n")
            verdict = "\n".join(result.problems[:20]) or f"{result.rows:,} trips, each of them once; all counts agree"
            sys.stdout.write(f"checked  {verdict}\n")
    if result.problems:
        raise typer.Exit(1)


def _find_stack() -> "StackState":
    from infra.state import find_running
    from shared.platform.errors import TerminalError
    from shared.platform.settings import load_settings

    state = find_running(load_settings())
    if state is None:
        raise TerminalError("Nothing runs; start the stack with `make up` first.")
    return state


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _print(result: "object") -> None:
    from infra.bench.scale import ScaleResult

    assert isinstance(result, ScaleResult)  # noqa: S101 - imported late, for a fast start
    lines = [
        f"rows                {result.rows:,}",
        f"generate            {result.rows / result.generate_s:,.0f} rows/s",
        f"upload              {result.file_bytes / result.upload_s / 1e6:,.0f} MB/s",
        f"load                {result.load_s:,.1f} s, {result.rows_per_s:,.0f} rows/s",
        f"  first, last tenth {result.first_tenth_rows_per_s:,.0f}, {result.last_tenth_rows_per_s:,.0f} rows/s",
        f"worker memory       {result.worker_peak_bytes / 2**20:,.0f} MiB at most",
        f"storage             {result.bytes_per_row:.1f} bytes a row",
        *(f"  {name:<18}{size:.2f}" for name, size in result.storage.items() if size > 0.01),
        f"checked             {'all counts and samples agree' if result.is_right else 'WRONG'}",
        *(f"  {line}" for line in [*result.differences[:10], *result.missing_samples[:10]]),
        *(
            f"{t.question:<32}p50 {t.p50_ms:8.1f} ms   p95 {t.p95_ms:8.1f} ms   max {t.max_ms:8.1f} ms"
            + (f"   DuckDB p95 {t.duckdb_p95_ms:8.1f} ms, {t.ratio:.1f} times" if t.ratio is not None else "")
            for t in result.questions
        ),
    ]
    sys.stdout.write("\n".join(lines) + "\n")
