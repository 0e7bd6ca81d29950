"""`tripdeck loads`, `watch`, `rejects`, `cancel`, `undo`, `retry`: what became of loads, and what shall."""

import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from loader.cli import options
from loader.cli.load import follow, leave, make_document, print_load
from loader.cli.session import connect_hub, print_json, report_errors
from shared.platform.errors import RequestError
from shared.platform.safe_text import escape_controls

if TYPE_CHECKING:
    from loader.cli.client import HubClient, Json

State = Literal["queued", "planning", "loading", "succeeded", "failed", "cancelled", "undone"]
_PAGE_ROWS = 1_000


def loads(
    *,
    state: Annotated[State | None, typer.Option(help="Loads in this state only.")] = None,
    before: Annotated[int | None, typer.Option(min=1, metavar="LOAD", help="Loads older than this one.")] = None,
    limit: options.Limit = 20,
    is_json: options.AsJson = False,
) -> None:
    """List loads, newest first."""
    with report_errors(is_json=is_json), connect_hub() as client:
        answer = client.get("/api/v1/loads", state=state, before=before, limit=limit)
        if is_json:
            print_json(answer)
        else:
            _print_loads(answer["loads"])


def watch(load_id: options.LoadId, is_json: options.AsJson = False) -> None:
    """Follow a load to its end; exit status as for `load`."""
    with report_errors(is_json=is_json), connect_hub() as client:
        client.get(f"/api/v1/loads/{load_id}")  # says at once that there is no such load, or no hub
        _follow_and_print(client, load_id, is_json=is_json)


def retry(load_id: options.LoadId, is_json: options.AsJson = False) -> None:
    """Load a failed or cancelled load's file again and follow it; exit status as for `load`."""
    from loader.cli.feed import is_terminal

    with report_errors(is_json=is_json), connect_hub() as client:
        retried = client.post(f"/api/v1/loads/{load_id}/retry")

        def is_last(event: "Json") -> bool:
            return bool(is_terminal(event) and event["seq"] >= retried["last_seq"])

        _follow_and_print(client, load_id, is_json=is_json, is_last=is_last)


def cancel(load_id: options.LoadId, is_json: options.AsJson = False) -> None:
    """Stop a load; what it has loaded so far is removed."""
    with report_errors(is_json=is_json), connect_hub() as client:
        client.post(f"/api/v1/loads/{load_id}/cancel")
        _print_one(client.get(f"/api/v1/loads/{load_id}"), is_json=is_json)


def undo(
    load_id: options.LoadId,
    is_waiting: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until its trips are gone.")] = True,
    is_json: options.AsJson = False,
) -> None:
    """Take a load's trips back."""
    from loader.cli.progress import LoadProgress

    with report_errors(is_json=is_json), connect_hub() as client:
        undone = load = client.post(f"/api/v1/loads/{load_id}/undo")

        def is_last(event: "Json") -> bool:
            return bool(event["kind"] == "cleaned" and event["seq"] >= undone["last_seq"])

        if is_waiting:
            with LoadProgress(is_shown=not is_json) as progress:
                load = follow(client, load_id, progress=progress, is_last=is_last)
        _print_one(load, is_json=is_json)


def rejects(
    *,
    load_id: options.LoadId,
    reason: Annotated[str | None, typer.Option(metavar="CODE", help="Rejects for this reason only.")] = None,
    after: Annotated[int, typer.Option(min=0, metavar="RECORD", help="Rejects after this record.")] = 0,
    limit: options.Limit = 100,
    csv_file: Annotated[
        str | None, typer.Option("--csv", metavar="FILE", help="Write all of them as CSV, with reasons; - for standard output.")
    ] = None,
    rows_file: Annotated[
        str | None, typer.Option("--rows", metavar="FILE", help="Write the rows as they were, to be mended and loaded again.")
    ] = None,
    is_json: options.AsJson = False,
) -> None:
    """List the rows of a load that could not become trips, in file order."""
    with report_errors(is_json=is_json), connect_hub() as client:
        params = {"reason": reason, "after": after}
        for form, name in (("csv", csv_file), ("rows", rows_file)):
            if name:
                _save(name, client.open_text(f"/api/v1/loads/{load_id}/rejects", **params, format=form))
        if csv_file or rows_file:
            return
        found = _list_rejects(client, load_id, reason=reason, after=after, limit=limit)
        if is_json:
            print_json({"load_id": load_id, "rejects": found})
        else:
            _print_rejects(found, limit=limit)


def _save(name: str, blocks: "Iterator[bytes]") -> None:
    """Write blocks to a file or, for -, to standard output. Raises: RequestError."""
    if name == "-" and sys.stdout.isatty():
        blocks = (escape_controls(block.decode(errors="replace"), kept="\n").encode() for block in blocks)
    first = next(blocks, b"")  # says that there is no such load before the file is touched
    try:
        with Path(name).open("wb") if name != "-" else nullcontext(sys.stdout.buffer) as out:
            out.write(first)
            out.writelines(blocks)
            out.flush()
    except OSError as error:
        if name == "-":
            raise
        raise RequestError(f"{name} can't be written: {error.strerror}. Name another file.", parameter="file") from error


def _list_rejects(client: "HubClient", load_id: int, *, reason: str | None, after: int, limit: int) -> "list[Json]":
    found: list[Json] = []
    while len(found) < limit:
        page = client.get(
            f"/api/v1/loads/{load_id}/rejects", reason=reason, after=after, limit=min(_PAGE_ROWS, limit - len(found))
        )
        found += page["rejects"]
        if not page["next"]:
            break
        after = found[-1]["record"]
    return found


def _follow_and_print(
    client: "HubClient", load_id: int, *, is_json: bool, is_last: "Callable[[Json], bool] | None" = None
) -> None:
    from loader.cli.progress import LoadProgress

    with LoadProgress(is_shown=not is_json) as progress:
        load = follow(client, load_id, progress=progress, is_last=is_last)
    _print_one(load, is_json=is_json)
    leave([load], words=["load", load["file_name"]])


def _print_one(load: "Json", *, is_json: bool) -> None:
    if is_json:
        print_json(make_document(load))
    else:
        print_load(load)


def _print_loads(found: "list[Json]") -> None:
    from loader.cli.tables import Column, format_duration, format_instant, print_line, print_table

    if not found:
        print_line("No loads yet. `tripdeck load FILE` makes one.")
        return
    columns = [Column("load", is_number=True), Column("state"), Column("file")]
    columns += [Column(name, is_number=True) for name in ("rows", "loaded", "rejected")]
    columns += [Column("requested"), Column("took", is_number=True), Column("note")]
    rows = [
        (
            load["load_id"],
            load["state"],
            load["file_name"],
            load["rows_read"],
            load["rows_loaded"],
            load["rows_rejected"],
            format_instant(load["requested_at"]),
            format_duration(load["started_at"], load["finished_at"]),
            load["error_message"] or "",
        )
        for load in found
    ]
    print_table(columns, rows)


def _print_rejects(found: "list[Json]", *, limit: int) -> None:
    from loader.cli.tables import Column, print_line, print_table

    if not found:
        print_line("No rejects.")
        return
    columns = [Column("line", is_number=True), Column("record", is_number=True)]
    names = ("column", "reason", "value", "raw")
    rows = [(reject["line"], reject["record"], *(reject[name] for name in names)) for reject in found]
    print_table([*columns, *map(Column, names)], rows)
    if len(found) == limit:
        print_line(f"The first {limit:,}; --limit N for more, --csv FILE for all.")
