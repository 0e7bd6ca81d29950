"""`tripdeck weekly`, `groups`, `regions`, `datasources`, `questions`: what the trips tell."""

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from loader.cli import options
from loader.cli.session import connect_hub, print_json, report_errors
from shared.platform.errors import RequestError

if TYPE_CHECKING:
    from loader.cli.client import HubClient, Json


def weekly(  # noqa: PLR0913 - a parameter an option
    *,
    region: options.Region = None,
    bbox: options.Bbox = None,
    area: options.Area = None,
    shape: options.ShapeFile = None,
    end: options.End = "origin",
    datasource: options.Datasource = None,
    from_on: options.FromDay = None,
    to_on: options.ToDay = None,
    hours: options.Hours = None,
    weekdays: options.Weekdays = None,
    compare_from: Annotated[
        str | None, typer.Option(metavar="DAY", help="First day of another period to compare with, YYYY-MM-DD.")
    ] = None,
    compare_to: Annotated[str | None, typer.Option(metavar="DAY", help="Last day of that period, included.")] = None,
    is_json: options.AsJson = False,
) -> None:
    """Trips per week and their average, in a region, a box or a shape."""
    with report_errors(is_json=is_json), connect_hub() as client:
        if region is None and bbox is None and area is None and shape is None:
            raise RequestError("Weekly averages need --region, --bbox, --area or --shape.", parameter="region")
        params: dict[str, object] = {
            "region": region,
            "bbox": bbox,
            "area": area,
            "end": end,
            "datasource": datasource,
            "from": from_on,
            "to": to_on,
        }
        params |= {**parse_hours(hours), "weekdays": weekdays, "compare_from": compare_from, "compare_to": compare_to}
        answer = _ask(client, "/api/v1/weekly-average", params, shape=shape)
        if is_json:
            print_json(answer)
        else:
            from loader.cli.answers import print_weekly

            print_weekly(answer)


def histogram(  # noqa: PLR0913 - a parameter an option
    *,
    by: Annotated[Literal["hour", "weekday", "duration"], typer.Option(help="What a bar stands for.")] = "hour",
    region: options.Region = None,
    bbox: options.Bbox = None,
    area: options.Area = None,
    shape: options.ShapeFile = None,
    end: options.End = "origin",
    datasource: options.Datasource = None,
    from_on: options.FromDay = None,
    to_on: options.ToDay = None,
    hours: options.Hours = None,
    weekdays: options.Weekdays = None,
    is_json: options.AsJson = False,
) -> None:
    """Trips per hour of the day, per weekday or per duration."""
    with report_errors(is_json=is_json), connect_hub() as client:
        params: dict[str, object] = {"by": by, "region": region, "bbox": bbox, "area": area, "end": end, "datasource": datasource}
        params |= {"from": from_on, "to": to_on, **parse_hours(hours), "weekdays": weekdays}
        answer = _ask(client, "/api/v1/histograms", params, shape=shape)
        if is_json:
            print_json(answer)
        else:
            from loader.cli.answers import print_histogram

            print_histogram(answer)


def groups(  # noqa: PLR0913 - a parameter an option
    *,
    region: options.Region = None,
    bbox: options.Bbox = None,
    area: options.Area = None,
    shape: options.ShapeFile = None,
    end: options.End = "origin",
    datasource: options.Datasource = None,
    precision: Annotated[int | None, typer.Option(min=1, metavar="N", help="Size of a cell in geohash characters.")] = None,
    bucket_minutes: options.BucketMinutes = None,
    hours: options.Hours = None,
    weekdays: options.Weekdays = None,
    limit: options.Limit = 20,
    after: Annotated[str | None, typer.Option(metavar="TOKEN", help="Go on after a page: what its next says.")] = None,
    is_json: options.AsJson = False,
) -> None:
    """Similar trips: same region, origin cell, destination cell and time of day; largest groups first."""
    with report_errors(is_json=is_json), connect_hub() as client:
        params: dict[str, object] = {
            "region": region,
            "bbox": bbox,
            "area": area,
            "end": end,
            "datasource": datasource,
            "limit": limit,
        }
        params |= {
            "after": after,
            "precision": precision,
            "bucket_minutes": bucket_minutes,
            **parse_hours(hours),
            "weekdays": weekdays,
        }
        answer = _ask(client, "/api/v1/trip-groups", params, shape=shape)
        if is_json:
            print_json(answer)
        else:
            from loader.cli.answers import print_groups

            print_groups(answer["groups"])


def group(  # noqa: PLR0913 - a parameter an option
    origin_cell: Annotated[str, typer.Argument(metavar="ORIGIN", help="Geohash of the origin cell, as `groups` names it.")],
    destination_cell: Annotated[str, typer.Argument(metavar="DESTINATION", help="Geohash of the destination cell.")],
    *,
    at: Annotated[str | None, typer.Option(metavar="HH:MM", help="Start of the time of day; without it the whole day.")] = None,
    bucket_minutes: options.BucketMinutes = None,
    region: options.Region = None,
    bbox: options.Bbox = None,
    area: options.Area = None,
    shape: options.ShapeFile = None,
    end: options.End = "origin",
    datasource: options.Datasource = None,
    hours: options.Hours = None,
    weekdays: options.Weekdays = None,
    limit: options.Limit = 20,
    is_json: options.AsJson = False,
) -> None:
    """One group of similar trips: its weeks, its hours and its newest trips."""
    with report_errors(is_json=is_json), connect_hub() as client:
        params: dict[str, object] = {"origin_cell": origin_cell, "destination_cell": destination_cell, "samples": limit}
        params |= {
            "bucket_minute": _parse_minute(at),
            "bucket_minutes": bucket_minutes,
            "region": region,
            "bbox": bbox,
            "area": area,
            "end": end,
            "datasource": datasource,
            **parse_hours(hours),
            "weekdays": weekdays,
        }
        answer = _ask(client, "/api/v1/trip-groups/detail", params, shape=shape)
        if is_json:
            print_json(answer)
        else:
            from loader.cli.answers import print_group

            print_group(answer)


def regions(is_json: options.AsJson = False) -> None:
    """List the regions with their trips."""
    _print_names("regions", is_json=is_json)


def datasources(is_json: options.AsJson = False) -> None:
    """List the datasources with their trips."""
    _print_names("datasources", is_json=is_json)


def questions(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="The question to answer; without it they are listed.")
    ] = None,
    parameters: Annotated[
        list[str] | None, typer.Option("--param", metavar="NAME=VALUE", help="A parameter; repeatable.")
    ] = None,
    is_json: options.AsJson = False,
) -> None:
    """Answer a ready question in SQL, or list them."""
    with report_errors(is_json=is_json), connect_hub() as client:
        if name is None:
            if parameters:
                raise RequestError("--param needs the name of a question.", parameter="param")
            answer = client.get("/api/v1/questions")
        else:
            answer = _answer_question(client, name, parameters or [])
        if is_json:
            print_json(answer)
        elif name is None:
            from loader.cli.answers import print_questions

            print_questions(answer["questions"])
        else:
            from loader.cli.answers import print_result

            print_result(answer)


def _ask(client: "HubClient", path: str, params: dict[str, object], *, shape: Path | None) -> "Json":
    """Ask a question, with the shape of a GeoJSON file where there is one. Raises: RequestError."""
    if shape is None:
        return client.get(path, **params)
    try:
        document = json.loads(sys.stdin.buffer.read() if str(shape) == "-" else shape.read_bytes())
    except OSError as error:
        raise RequestError(f"{shape} can't be read: {error.strerror}.", parameter="shape") from error
    except ValueError as error:
        raise RequestError(f"{shape} is no JSON: {error}.", parameter="shape") from error
    return client.post(path, body=json.dumps({"shape": document}).encode(), params=params)


def parse_hours(text: str | None) -> dict[str, int]:
    """Read A-B. Raises: RequestError."""
    if text is None:
        return {}
    match = re.fullmatch(r"(\d{1,2})-(\d{1,2})", text)
    if match is None:
        raise RequestError(f"Hours are A-B, such as 7-10, not {text!r}.", parameter="hours")
    return {"hour_from": int(match[1]), "hour_to": int(match[2])}


def _parse_minute(text: str | None) -> int | None:
    if text is None:
        return None
    match = re.fullmatch(r"(\d{1,2}):(\d\d)", text)
    if match is None:
        raise RequestError(f"A time of day is HH:MM, such as 08:00, not {text!r}.", parameter="at")
    return 60 * int(match[1]) + int(match[2])


def _answer_question(client: "HubClient", name: str, parameters: list[str]) -> "Json":
    from urllib.parse import quote

    pairs = [pair.partition("=") for pair in parameters]
    for key, mark, _ in pairs:
        if not key or not mark:
            raise RequestError("--param is NAME=VALUE, such as datasource=cheap_mobile.", parameter="param")
    return client.get(f"/api/v1/questions/{quote(name, safe='')}", **{key: value for key, _, value in pairs})


def _print_names(noun: str, *, is_json: bool) -> None:
    from loader.cli.tables import Column, print_table

    with report_errors(is_json=is_json), connect_hub() as client:
        answer = client.get(f"/api/v1/{noun}")
        if is_json:
            print_json(answer)
            return
        columns = [Column(noun.removesuffix("s")), Column("trips", is_number=True), Column("first"), Column("last")]
        print_table(columns, [(row["name"], row["trips"], row["first_at"], row["last_at"]) for row in answer[noun]])
