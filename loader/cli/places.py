"""`tripdeck places`: place sets, which are zones, named areas and location tables."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import quote

import typer

from loader.cli import options
from loader.cli.border import CommandGroup
from loader.cli.files import find_file
from loader.cli.session import connect_hub, print_json, report_errors
from shared.platform.errors import NotFoundError, RequestError

if TYPE_CHECKING:
    from loader.cli.client import HubClient, Json

_PATH = "/api/v1/places"

places = typer.Typer(
    name="places", cls=CommandGroup, no_args_is_help=True, help="Zones, named areas and location tables.", rich_markup_mode=None
)

File = Annotated[
    str, typer.Argument(metavar="FILE", help="GeoJSON, a zipped shapefile, GeoPackage or CSV; - for standard input.")
]
Set = Annotated[str, typer.Argument(metavar="SET", help="Name or number of the place set.")]
Key = Annotated[str | None, typer.Option(metavar="COLUMN", help="Column with the ids that trip files use.")]
Label = Annotated[str | None, typer.Option(metavar="COLUMN", help="Column with the names for people.")]
Crs = Annotated[
    str | None, typer.Option(metavar="CODE", help="Reference system, for files that name none or a wrong one, such as EPSG:2263.")
]
Layer = Annotated[str | None, typer.Option(metavar="NAME", help="Layer of a file of several.")]


@places.command("list")
def list_sets(*, is_json: options.AsJson = False) -> None:
    """List the place sets."""
    with report_errors(is_json=is_json), connect_hub() as client:
        found = client.get(_PATH)["place_sets"]
        if is_json:
            print_json({"place_sets": found})
        else:
            _print_sets(found)


@places.command()
def inspect(
    *, file: File, key: Key = None, label: Label = None, crs: Crs = None, layer: Layer = None, is_json: options.AsJson = False
) -> None:
    """Show what a file of places holds; nothing is stored."""
    with report_errors(is_json=is_json), connect_hub() as client:
        found = find_file(file, name="stdin" if file == "-" else None)
        with found.open() as stream:
            params = {"file_name": found.name, "key": key, "label": label, "crs": crs, "layer": layer}
            answer = client.post(f"{_PATH}/inspect", body=stream.read(), params=params)
        if is_json:
            print_json(answer)
        else:
            _print_inspection(found.name, answer)


@places.command()
def add(
    *,
    file: File,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="Name of the set.  [default: the file's]")] = None,
    key: Key = None,
    label: Label = None,
    crs: Crs = None,
    layer: Layer = None,
    is_json: options.AsJson = False,
) -> None:
    """Add a place set from a file."""
    with report_errors(is_json=is_json), connect_hub() as client:
        found = find_file(file, name=name if file == "-" else None)
        with found.open() as stream:
            params = {"file_name": found.name, "key": key, "label": label, "crs": crs, "layer": layer}
            answer = client.post(_PATH, body=stream.read(), params={**params, "name": name or Path(found.name).stem})
        _report(answer, is_json=is_json)


@places.command()
def make(
    *,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the set.")],
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Trip files with ids and coordinates of both ends.")],
    key: Annotated[str | None, typer.Option(metavar="ORIGIN,DESTINATION", help="Columns with the ids of both ends.")] = None,
    label: Annotated[str | None, typer.Option(metavar="ORIGIN,DESTINATION", help="Columns with the names of both ends.")] = None,
    columns: options.Map = None,
    is_json: options.AsJson = False,
) -> None:
    """Make a place set of trip files that have both ids and coordinates: stations, for files that have ids only."""
    from loader.formats import LoadOptions
    from loader.place_files.making import PlaceMaker

    with report_errors(is_json=is_json), connect_hub() as client:
        roles = dict(pair.split("=", 1) for pair in columns or [] if "=" in pair)
        maker = PlaceMaker(key=_split_pair(key, "key"), label=_split_pair(label, "label"), options=LoadOptions(roles=roles))
        for file in files:
            maker.read_file(_check_path(file))
        params = {
            "file_name": f"{files[0].name} …" if len(files) > 1 else files[0].name,
            "name": name,
            "key": "id",
            "label": "name",
        }
        _report(client.post(_PATH, body=maker.write_csv(), params=params), is_json=is_json)


def _split_pair(text: str | None, parameter: str) -> tuple[str, str] | None:
    if text is None:
        return None
    first, _, second = text.partition(",")
    if not first or not second:
        raise RequestError(f"--{parameter} names two columns, as in from_station_id,to_station_id.", parameter=parameter)
    return first, second


def _check_path(path: Path) -> Path:
    """Raises: RequestError where there is no such file, or it is no file that can be read twice."""
    found = find_file(str(path))
    if found.path is None or found.size is None:
        raise RequestError("A place set is made of files, not of standard input or a pipe.", parameter="file")
    return found.path


@places.command()
def rename(*, place_set: Set, name: Annotated[str, typer.Argument(metavar="NAME")], is_json: options.AsJson = False) -> None:
    """Rename a place set; loads know it by its number."""
    with report_errors(is_json=is_json), connect_hub() as client:
        _report(client.put(_find_path(client, place_set), {"name": name}), is_json=is_json)


@places.command()
def delete(*, place_set: Set) -> None:
    """Delete a place set that no load uses."""
    with report_errors(is_json=False), connect_hub() as client:
        client.delete(_find_path(client, place_set))


@places.command()
def export(
    *,
    place_set: Set,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="File to write.")],
    form: Annotated[
        Literal["geojson", "parquet"] | None,
        typer.Option("--format", help="Form of the file.  [default: by its name, else geojson]"),
    ] = None,
) -> None:
    """Write a place set to a file, as GeoJSON or GeoParquet."""
    with report_errors(is_json=False), connect_hub() as client:
        chosen = form or ("parquet" if file.suffix == ".parquet" else "geojson")
        blocks = client.open_text(f"{_find_path(client, place_set)}/places", format=chosen)
        with file.open("wb") as target:
            for block in blocks:
                target.write(block)


def _find_path(client: "HubClient", wanted: str) -> str:
    """The path of the set of a name or number. Raises: NotFoundError with the names there are."""
    found = client.get(_PATH)["place_sets"]
    for one in found:
        if wanted in (one["name"], str(one["place_set_id"])):
            return f"{_PATH}/{quote(str(one['place_set_id']))}"
    known = ", ".join(one["name"] for one in found[:20])
    raise NotFoundError(f"There is no place set {wanted!r}; " + (f"there are: {known}." if known else "none has been added yet."))


def _report(answer: "Json", *, is_json: bool) -> None:
    if is_json:
        print_json(answer)
    else:
        _print_sets([answer])


def _print_sets(found: "list[Json]") -> None:
    from loader.cli.tables import Column, print_line, print_table

    if not found:
        print_line("No place set has been added yet: tripdeck places add FILE.")
        return
    columns = [Column("set", is_number=True), *map(Column, ("name", "kind")), Column("places", is_number=True)]
    rows: list[tuple[Any, ...]] = [
        (one["place_set_id"], one["name"], one["kind"], one["places"], one["crs"], one["file_name"] or "", one["added_at"][:10])
        for one in found
    ]
    print_table([*columns, *map(Column, ("crs", "file", "added"))], rows)


def _print_inspection(name: str, answer: "Json") -> None:
    from loader.cli.tables import Column, print_line, print_table

    print_line(
        f"{name}: {answer['rows_read']:,} rows, {answer['places']:,} {'zones' if answer['kind'] == 'zones' else 'places'}."
    )
    print_line(f"Key (--key): {answer['key']}. Name (--label): {answer['label']}.")
    for note in answer["notes"]:
        print_line(f"Note: {note}")
    print_line("")
    rows = [(one["name"], one["distinct"], ", ".join(one["examples"])) for one in answer["columns"]]
    print_table([Column("column"), Column("distinct", is_number=True), Column("such as")], rows)
    print_line("")
    print_table([Column("key"), Column("name")], [(one["key"], one["name"]) for one in answer["shown"]])
