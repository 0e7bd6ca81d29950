"""`tripdeck publish`: loads as GeoParquet files in the object store."""

import math
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from loader.cli import options
from loader.cli.session import FAILED, connect_hub, print_json, report_errors
from shared.platform.errors import ConflictError, RequestError

if TYPE_CHECKING:
    from loader.cli.client import HubClient, Json

_PAGE_LOADS = 500
_ENDED = ("published", "failed", "withdrawn")


def publish(
    *,
    load_id: Annotated[int | None, typer.Argument(metavar="LOAD", min=1, help="Number of the load.")] = None,
    is_all: Annotated[bool, typer.Option("--all", help="Every load that has succeeded.")] = False,
    is_following: Annotated[
        bool, typer.Option("--follow", help="Every load that has succeeded, and each that will, until interrupted.")
    ] = False,
    is_waiting: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until the files are there.")] = True,
    is_json: options.AsJson = False,
) -> None:
    """Publish loads as GeoParquet files in the object store; exit status 1 when one could not be published."""
    with report_errors(is_json=is_json), connect_hub() as client:
        if [load_id is not None, is_all, is_following].count(True) != 1:
            raise RequestError("Name a load, or give --all or --follow.", parameter="load_id")
        if is_following:
            _publish_new(client)
            return
        load_ids = [load_id] if load_id is not None else list(_list_succeeded(client))
        requested = [_request(client, number) for number in load_ids]
        found = [_wait(client, publication) if is_waiting else publication for publication in requested]
        if is_json:
            print_json({"publications": found})
        else:
            _print_publications(found)
        if any(_has_failed(publication) for publication in found):
            raise SystemExit(FAILED)


def _list_succeeded(client: "HubClient") -> Iterator[int]:
    """Loads that have succeeded, oldest first."""
    found: list[int] = []
    before = None
    while page := client.get("/api/v1/loads", state="succeeded", before=before, limit=_PAGE_LOADS)["loads"]:
        found += [load["load_id"] for load in page]
        before = found[-1]
    yield from reversed(found)


def _request(client: "HubClient", load_id: int) -> "Json":
    return client.post(f"/api/v1/loads/{load_id}/publication")


def _wait(client: "HubClient", publication: "Json") -> "Json":
    """Follow the load's events until its publication has ended."""
    from loader.cli.feed import follow_load

    path = f"/api/v1/loads/{publication['load_id']}/publication"
    if _has_ended(publication):
        return publication
    for _ in follow_load(client, publication["load_id"], is_last=lambda _event: _has_ended(client.get(path))):
        pass
    return client.get(path)


def _has_ended(publication: "Json") -> bool:
    """Whether nothing more is on its way: neither files nor an engine's task."""
    unfinished = ("queued", "running", "undo_queued", "undoing")
    return publication["state"] in _ENDED and not any(one["state"] in unfinished for one in publication["handovers"])


def _has_failed(publication: "Json") -> bool:
    return "failed" in (publication["state"], *(one["state"] for one in publication["handovers"]))


def _publish_new(client: "HubClient") -> None:
    """Request the publication of every load that succeeds; those that have already, too."""
    from loader.cli.feed import follow_loads
    from loader.cli.tables import print_line

    done: set[int] = set()
    for load_id in _list_succeeded(client):
        _request_once(client, load_id, done)
    print_line("Every load that succeeds is published. Ctrl-C ends this.")
    for event in follow_loads(client, patience_s=math.inf):
        if event["state"] == "succeeded":
            _request_once(client, event["load_id"], done)
        else:
            done.discard(event["load_id"])


def _request_once(client: "HubClient", load_id: int, done: set[int]) -> None:
    from loader.cli.tables import print_line

    if load_id in done:
        return
    try:
        publication = _request(client, load_id)
    except ConflictError as error:  # undone meanwhile
        print(error.message, file=sys.stderr)
        return
    done.add(load_id)
    print_line(f"load {load_id}: {publication['state']}, {publication['folder']}")


def _print_publications(found: "list[Json]") -> None:
    from loader.cli.tables import Column, print_line, print_table

    if not found:
        print_line("No load has succeeded yet.")
        return
    columns = [
        Column("load", is_number=True),
        Column("state"),
        *(Column(name, is_number=True) for name in ("rows", "files", "bytes")),
    ]
    rows = [
        (one["load_id"], one["state"], one["rows_written"], one["files"], one["bytes"], one["folder"], one["error_message"] or "")
        for one in found
    ]
    print_table([*columns, Column("folder"), Column("note")], rows)
