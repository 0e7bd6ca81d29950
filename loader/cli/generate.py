"""`tripdeck generate`: write a trip file of any size, for trying things out and for benchmarks."""

import sys
from contextlib import nullcontext
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from loader.cli import options
from loader.cli.session import print_json, report_errors
from shared.platform.errors import RequestError
from shared.platform.safe_text import escape_controls

if TYPE_CHECKING:
    from loader.sample.generate import Tally


def generate(
    *,
    file: Annotated[str, typer.Argument(metavar="FILE", help="The file to write; - for standard output.")],
    rows: Annotated[int, typer.Option(min=0, metavar="N", help="Rows.")],
    seed: Annotated[int, typer.Option(min=0, metavar="S", help="Same seed, same bytes.")] = 1,
    bad_share: Annotated[float, typer.Option(min=0, max=1, metavar="X", help="Share of rows that can't be loaded.")] = 0.0,
    from_on: Annotated[str, typer.Option("--from", metavar="DAY", help="First day.")] = "2026-01-05",
    weeks: Annotated[int, typer.Option(min=1, metavar="N", help="Weeks that the trips spread over.")] = 26,
    is_json: options.AsJson = False,
) -> None:
    """Write a made-up trip file: three cities with streets, five datasources, daily and weekly rhythm."""
    with report_errors(is_json=is_json):
        if file == "-" and is_json:
            raise RequestError("Standard output can't take both the file and --json.", parameter="file")
        first_day = _parse_day(from_on)
        tally = _write(file, rows=rows, seed=seed, bad_share=bad_share, from_on=first_day, weeks=weeks, is_json=is_json)
        if is_json:
            print_json({"file": file, **tally.to_json()})
        else:
            bad = f", {len(tally.rejects):,} of them bad" if tally.rejects else ""
            typer.echo(f"{escape_controls(file)}: {tally.rows:,} rows{bad}, {tally.bytes:,} bytes.", err=file == "-")


def _write(file: str, *, rows: int, seed: int, bad_share: float, from_on: date, weeks: int, is_json: bool) -> "Tally":
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import Progress

    from loader.sample.generate import write_trips

    console = Console(stderr=True)
    try:
        with (
            nullcontext(sys.stdout.buffer) if file == "-" else Path(file).open("wb") as stream,
            Progress(console=console, disable=is_json or not console.is_terminal, transient=True) as progress,
        ):
            task = progress.add_task(escape(escape_controls(file)), total=rows)
            return write_trips(
                stream,
                rows=rows,
                seed=seed,
                bad_share=bad_share,
                from_on=from_on,
                weeks=weeks,
                on_rows=lambda count: progress.advance(task, count),
            )
    except OSError as error:
        if file == "-":
            raise
        raise RequestError(f"{file} can't be written: {error.strerror}. Name another file.", parameter="file") from error


def _parse_day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise RequestError(f"A day is YYYY-MM-DD, not {text!r}.", parameter="from") from error
