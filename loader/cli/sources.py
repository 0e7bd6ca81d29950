"""`tripdeck watch-source`: addresses that workers read trip files from whenever there is something new."""

import json
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from loader.cli import options
from loader.cli.remote import post_source
from loader.cli.session import connect_hub, print_json, report_errors

if TYPE_CHECKING:
    from loader.cli.client import Json

SourceId = Annotated[int, typer.Argument(metavar="SOURCE", min=1, help="Number of the source.")]
ObjectState = Literal["found", "loaded", "failed", "waiting", "refused", "changed"]
app = typer.Typer(no_args_is_help=True, help="Watch a prefix of a bucket, or a file on a web server, and load what is new.")


@app.command()
def add(  # noqa: PLR0913 - a parameter an option
    *,
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="s3://bucket/prefix/ or https://host/path.")],
    every: Annotated[int, typer.Option(min=5, metavar="S", help="Time between listings, in seconds.")] = 60,
    on_drift: Annotated[
        Literal["load", "refuse", "ask"], typer.Option(help="What happens to a file whose columns are others than before.")
    ] = "ask",
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
    polyline_precision: options.PolylinePrecision = None,
    places: options.Places = None,
    last_time: options.LastTime = None,
    max_rejects: options.MaxRejects = None,
    max_share: options.MaxShare = None,
    is_json: options.AsJson = False,
) -> None:
    """Watch an address; the options are those of every load of it."""
    reading: dict[str, object] = {"date_order": date_order, "axis_order": axis_order, "has_header": has_header}
    reading |= {"encoding": encoding, "delimiter": delimiter, "decimal": decimal, "as_last_time": last_time is not False}
    reading |= {"time_form": time_form, "crs": crs, "coordinate_unit": coordinate_unit}
    reading |= {"sheet": sheet, "member": member, "polyline_precision": polyline_precision, "places": places}
    reading |= {"max_rejects": max_rejects, "max_reject_share": max_share}
    params = {"region": region, "datasource": datasource, "timezone": timezone, "map": columns, **reading}
    with report_errors(is_json=is_json), connect_hub() as client:
        _show(post_source(client, address, params=params, interval_s=every, on_drift=on_drift), is_json=is_json)


@app.command("list")
def list_all(
    *,
    is_all: Annotated[bool, typer.Option("--all", help="Addresses that were read once, too.")] = False,
    is_json: options.AsJson = False,
) -> None:
    """List sources with what became of their objects."""
    with report_errors(is_json=is_json), connect_hub() as client:
        found = [source for source in client.get("/api/v1/sources")["sources"] if is_all or source["is_watched"]]
        if is_json:
            print_json({"sources": found})
        else:
            _print_sources(found)


@app.command()
def objects(
    source_id: SourceId,
    *,
    state: Annotated[ObjectState | None, typer.Option(help="Objects in this state only.")] = None,
    after: Annotated[int, typer.Option(min=0, metavar="ID", help="Objects found after this one.")] = 0,
    limit: options.Limit = 100,
    is_json: options.AsJson = False,
) -> None:
    """List the objects of a source, in the order they were found."""
    with report_errors(is_json=is_json), connect_hub() as client:
        answer = client.get(f"/api/v1/sources/{source_id}/objects", state=state, after=after, limit=limit)
        if is_json:
            print_json(answer)
            return
        from loader.cli.tables import Column, print_table

        names = ("source_object_id", "key", "bytes", "state", "load_id", "load_state", "error_message")
        rows = [["" if one[name] is None else one[name] for name in names] for one in answer["objects"]]
        print_table([Column("id", is_number=True), *(Column(name.replace("_", " ")) for name in names[1:])], rows)


@app.command()
def pause(source_id: SourceId, is_json: options.AsJson = False) -> None:
    """Read no more of a source; `resume` goes on."""
    _order(source_id, "pause", is_json=is_json)


@app.command()
def resume(source_id: SourceId, is_json: options.AsJson = False) -> None:
    """Go on with a paused source."""
    _order(source_id, "resume", is_json=is_json)


@app.command()
def run(source_id: SourceId, is_json: options.AsJson = False) -> None:
    """List a source now instead of at its time."""
    _order(source_id, "run", is_json=is_json)


@app.command()
def retry(
    source_id: SourceId,
    *,
    object_id: Annotated[int | None, typer.Option("--object", min=1, metavar="ID", help="This object only.")] = None,
    is_json: options.AsJson = False,
) -> None:
    """Read objects again that failed, wait or were refused; changed columns are taken."""
    _order(source_id, "retry", body={"source_object_id": object_id}, is_json=is_json)


@app.command()
def remove(source_id: SourceId, is_json: options.AsJson = False) -> None:
    """Forget a source; its loads stay."""
    with report_errors(is_json=is_json), connect_hub() as client:
        client.delete(f"/api/v1/sources/{source_id}")
        if is_json:
            print_json({"source_id": source_id, "state": "removed"})
        else:
            from loader.cli.tables import print_line

            print_line(f"Source {source_id} is removed; its loads stay.")


def _order(source_id: int, order: str, *, body: "Json | None" = None, is_json: bool) -> None:
    with report_errors(is_json=is_json), connect_hub() as client:
        data = json.dumps(body).encode() if body else b""
        _show(client.post(f"/api/v1/sources/{source_id}/{order}", body=data), is_json=is_json)


def _show(source: "Json", *, is_json: bool) -> None:
    if is_json:
        print_json(source)
    else:
        _print_sources([source])


def _print_sources(found: "list[Json]") -> None:
    from loader.cli.tables import Column, print_line, print_table

    if not found:
        print_line("There are no sources; `tripdeck watch-source add ADDRESS` adds one.")
        return
    counts = ("found", "loaded", "failed", "waiting", "refused")
    rows = [
        [
            *(source[name] for name in ("source_id", "address", "state", "interval_s", "on_drift")),
            *(source[f"objects_{name}"] for name in counts),
            source["loads_failed"],
            source["error_message"] or "",
        ]
        for source in found
    ]
    texts = [Column("source", is_number=True), Column("address"), Column("state"), Column("every s", is_number=True)]
    numbers = [Column(name, is_number=True) for name in (*counts, "loads failed")]
    print_table([*texts, Column("on drift"), *numbers, Column("note")], rows)
