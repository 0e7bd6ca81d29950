"""`tripdeck load`, `inspect`: send files and see what becomes of them."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from loader.cli import options
from loader.cli.files import LocalFile, find_file
from loader.cli.remote import is_address, read_address
from loader.cli.sample import inspect_file
from loader.cli.session import FAILED, connect_hub, print_json, report_errors
from shared.platform.errors import FileFormatError, RequestError

if TYPE_CHECKING:
    from loader.cli.client import HubClient, Json, Params
    from loader.cli.progress import LoadProgress

Files = Annotated[
    list[str],
    typer.Argument(metavar="FILE...", help="Trip files; - for standard input; s3://bucket/key or https://… read by the workers."),
]


def load(  # noqa: PLR0913 - a parameter an option
    *,
    files: Files,
    region: options.FileRegion = None,
    datasource: options.FileDatasource = None,
    timezone: options.Timezone = None,
    columns: options.Map = None,
    date_order: options.DateOrder = None,
    time_form: options.TimeForm = None,
    axis_order: options.AxisOrder = None,
    crs: options.Crs = None,
    coordinate_unit: options.CoordinateUnit = None,
    has_header: options.Header = None,
    encoding: options.Encoding = None,
    delimiter: options.Delimiter = None,
    decimal: options.Decimal = None,
    sheet: options.Sheet = None,
    member: options.Member = None,
    places: options.Places = None,
    polyline_precision: options.PolylinePrecision = None,
    last_time: options.LastTime = None,
    max_rejects: options.MaxRejects = None,
    max_share: options.MaxShare = None,
    name: options.FileName = None,
    is_waiting: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for the end of the load.")] = True,
    is_json: options.AsJson = False,
) -> None:
    """Load trip files: exit status 0 when every load succeeded (rejects or not), 1 when one failed, 2 on wrong usage."""
    reading: dict[str, object] = {"date_order": date_order, "axis_order": axis_order, "has_header": has_header}
    reading |= {"encoding": encoding, "delimiter": delimiter, "decimal": decimal, "as_last_time": last_time is not False}
    reading |= {"time_form": time_form, "crs": crs, "coordinate_unit": coordinate_unit}
    reading |= {"sheet": sheet, "member": member, "places": places, "polyline_precision": polyline_precision}
    reading |= {"max_rejects": max_rejects, "max_reject_share": max_share}
    params = {"region": region, "datasource": datasource, "timezone": timezone, "map": columns, **reading}
    with report_errors(is_json=is_json):
        addresses = [file for file in files if is_address(file)]
        found = _find_files([file for file in files if file not in addresses], name)
        with connect_hub() as client:
            loads = [_load_file(client, file, params=params, is_waiting=is_waiting, is_json=is_json) for file in found]
            for address in addresses:
                loads += _load_address(client, address, params=params, is_waiting=is_waiting, is_json=is_json)
        documents = [make_document(load) for load in loads]
        if is_json:
            print_json(documents[0] if len(documents) == 1 else {"loads": documents})
    asking = next((number for number, load in enumerate(loads) if load["question"]), None)
    others = [file for number, file in enumerate(files) if number != asking]
    leave(loads, other_words=others)


def inspect(  # noqa: PLR0913 - a parameter an option
    *,
    file: Annotated[str, typer.Argument(metavar="FILE", help="A trip file; - for standard input.")],
    region: options.FileRegion = None,
    datasource: options.FileDatasource = None,
    timezone: options.Timezone = None,
    columns: options.Map = None,
    date_order: options.DateOrder = None,
    time_form: options.TimeForm = None,
    axis_order: options.AxisOrder = None,
    crs: options.Crs = None,
    coordinate_unit: options.CoordinateUnit = None,
    has_header: options.Header = None,
    encoding: options.Encoding = None,
    delimiter: options.Delimiter = None,
    decimal: options.Decimal = None,
    sheet: options.Sheet = None,
    member: options.Member = None,
    places: options.Places = None,
    polyline_precision: options.PolylinePrecision = None,
    last_time: options.LastTime = None,
    name: options.FileName = None,
    is_forgetting: Annotated[
        bool, typer.Option("--forget", help="Forget the options remembered for files of this kind, then inspect.")
    ] = False,
    is_json: options.AsJson = False,
) -> None:
    """Show what the loader makes of a file's beginning; nothing is loaded."""
    reading: dict[str, object] = {"date_order": date_order, "axis_order": axis_order, "has_header": has_header}
    reading |= {"encoding": encoding, "delimiter": delimiter, "decimal": decimal, "as_last_time": last_time is not False}
    reading |= {"time_form": time_form, "crs": crs, "coordinate_unit": coordinate_unit}
    reading |= {"sheet": sheet, "member": member, "places": places, "polyline_precision": polyline_precision}
    params = {"region": region, "datasource": datasource, "timezone": timezone, "map": columns, **reading}
    with report_errors(is_json=is_json):
        found = find_file(file, name=name or ("stdin" if file == "-" else None))
        with connect_hub() as client:
            answer = inspect_file(client, found, params=params)
            if is_forgetting and answer["as_last_time"]:
                client.delete(f"/api/v1/readings/{answer['as_last_time']['header_hash']}")
                answer = inspect_file(client, found, params=params)
        if is_json:
            print_json(answer)
        else:
            from loader.cli.inspection import print_inspection

            print_inspection(found.name, answer)


def follow(
    client: "HubClient", load_id: int, *, progress: "LoadProgress", is_last: "Callable[[Json], bool] | None" = None
) -> "Json":
    """Wait for the end of a load; of its original where the same bytes are loaded already."""
    from loader.cli.feed import follow_load, is_terminal

    event = progress.watch_load(follow_load(client, load_id, is_last=is_last or is_terminal))
    if event["duplicate_of"]:
        original = follow(client, event["duplicate_of"], progress=progress)
        return {**original, "already_loaded_as": event["duplicate_of"]}
    return client.get(f"/api/v1/loads/{load_id}")


def make_document(load: "Json") -> "Json":
    """A load as `--json` prints it."""
    names = ("load_id", "state", "file_name", "rows_read", "rows_loaded", "rows_rejected")
    question = {name: fact for name, fact in (load.get("question") or {}).items() if fact}
    error = {"code": load["error_code"], "message": load["error_message"], **question} if load["error_message"] else None
    again = {"already_loaded_as": load["already_loaded_as"]} if "already_loaded_as" in load else {}
    counts = {name: load.get(name, {}) for name in ("rejects", "warnings")}
    return {**{name: load[name] for name in names}, **counts, "notes": load.get("notes", []), "error": error, **again}


def exit_status(documents: Sequence["Json"]) -> int:
    """0 when no load of them failed or was stopped."""
    return FAILED if any(document["state"] in ("failed", "cancelled", "undone") for document in documents) else 0


def leave(loads: Sequence["Json"], *, words: Sequence[str] = (), other_words: Sequence[str] = ()) -> NoReturn:
    """Exit by what became of loads; the question of the first that asks one is printed with its answers (see border.py)."""
    status = exit_status(loads)
    asking = next((load for load in loads if load.get("question")), None)
    if asking is None or not status:
        raise typer.Exit(status)
    question = FileFormatError(asking["error_message"], words=words, other_words=other_words, **asking["question"])
    raise SystemExit(status) from question


def print_load(load: "Json") -> None:
    """Say in a few lines what became of a load."""
    from loader.cli.tables import Column, print_line, print_table, seconds_between

    if "already_loaded_as" in load:
        print_line(f"Already loaded as load {load['already_loaded_as']}.")
    counts = f"{load['rows_read']:,} rows read, {load['rows_loaded']:,} loaded, {load['rows_rejected']:,} rejected"
    seconds = seconds_between(load["started_at"], load["finished_at"]) if load["state"] == "succeeded" else 0
    speed = f" in {seconds:.1f} s, {load['rows_read'] / seconds:,.0f} rows/s" if seconds else ""
    print_line(f"{load['file_name']}: load {load['load_id']} {load['state']}: {counts}{speed}.")
    if load["error_message"]:
        print_line(load["error_message"])
    for note in load["notes"]:
        print_line(f"Note: {note}")
    if load.get("rejects"):
        print_table([Column("rejected because"), Column("rows", is_number=True)], list(load["rejects"].items()))
        print_line(f"`tripdeck rejects {load['load_id']}` lists them; --rows FILE gives them to be mended and loaded again.")
    if load.get("warnings"):
        print_table([Column("loaded, but odd"), Column("rows", is_number=True)], list(load["warnings"].items()))


def _find_files(files: list[str], name: str | None) -> list[LocalFile]:
    if name and len(files) > 1:
        raise RequestError("--name is for one file.", parameter="name")
    return [find_file(file, name=name) for file in files]


def _load_file(client: "HubClient", file: LocalFile, *, params: "Params", is_waiting: bool, is_json: bool) -> "Json":
    from loader.cli.progress import LoadProgress

    with LoadProgress(is_shown=not is_json) as progress:
        with file.open() as stream:
            on_bytes = progress.watch_upload(file.name, file.size)
            load = client.put_file(stream, file_name=file.name, size=file.size, params=params, on_bytes=on_bytes)
        if is_waiting:
            load = _follow_or_leave(client, load["load_id"], progress)
    if not is_json:
        _tell(load, is_waiting=is_waiting)
    return load


def _load_address(client: "HubClient", address: str, *, params: "Params", is_waiting: bool, is_json: bool) -> "list[Json]":
    from loader.cli.progress import LoadProgress

    loads = []
    for found in read_address(client, address, params=params):
        with LoadProgress(is_shown=not is_json) as progress:
            load_id = found["load_id"]
            load = _follow_or_leave(client, load_id, progress) if is_waiting else client.get(f"/api/v1/loads/{load_id}")
        if not is_json:
            _tell(load, is_waiting=is_waiting)
        loads.append(load)
    return loads


def _tell(load: "Json", *, is_waiting: bool) -> None:
    """Say what became of a load, or how to follow it."""
    from loader.cli.tables import print_line

    if is_waiting:
        print_load(load)
    else:
        print_line(f"{load['file_name']}: load {load['load_id']} {load['state']}. `tripdeck watch {load['load_id']}` follows it.")


def _follow_or_leave(client: "HubClient", load_id: int, progress: "LoadProgress") -> "Json":
    try:
        return follow(client, load_id, progress=progress)
    except KeyboardInterrupt:
        typer.echo(
            f"Load {load_id} goes on; `tripdeck watch {load_id}` follows it, `tripdeck cancel {load_id}` stops it.", err=True
        )
        raise
