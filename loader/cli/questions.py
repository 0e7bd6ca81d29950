"""`tripdeck weekly`, `groups`, `regions`, `datasources`, `questions`: what the trips tell."""

import re
from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from loader.cli import options
from loader.cli.session import connect_hub, print_json, report_errors
from shared.errors import RequestError

if TYPE_CHECKING:
    from loader.cli.client import HubClient, Json

# Runs of more weeks without trips become one line.
_EMPTY_WEEKS = 3


def weekly(  # noqa: PLR0913 - a parameter an option
    *,
    region: options.Region = None,
    bbox: options.Bbox = None,
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
    """Trips per week and their average, in a region, inside a box, or both."""
    with report_errors(is_json=is_json), connect_hub() as client:
        if region is None and bbox is None:
            raise RequestError("Weekly averages need --region, --bbox or both.", parameter="region")
        asked: dict[str, object] = {
            "region": region,
            "bbox": bbox,
            "end": end,
            "datasource": datasource,
            "from": from_on,
            "to": to_on,
        }
        asked |= {**parse_hours(hours), "weekdays": weekdays, "compare_from": compare_from, "compare_to": compare_to}
        answer = client.get("/api/v1/weekly-average", **asked)
        if is_json:
            print_json(answer)
        else:
            _print_weekly(answer)


def histogram(  # noqa: PLR0913 - a parameter an option
    *,
    by: Annotated[Literal["hour", "weekday", "duration"], typer.Option(help="What a bar stands for.")] = "hour",
    region: options.Region = None,
    bbox: options.Bbox = None,
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
        asked: dict[str, object] = {"by": by, "region": region, "bbox": bbox, "end": end, "datasource": datasource}
        asked |= {"from": from_on, "to": to_on, **parse_hours(hours), "weekdays": weekdays}
        answer = client.get("/api/v1/histograms", **asked)
        if is_json:
            print_json(answer)
        else:
            _print_histogram(answer)


def groups(  # noqa: PLR0913 - a parameter an option
    *,
    region: options.Region = None,
    bbox: options.Bbox = None,
    end: options.End = "origin",
    datasource: options.Datasource = None,
    precision: Annotated[int | None, typer.Option(min=1, metavar="N", help="Size of a cell in geohash characters.")] = None,
    bucket_minutes: Annotated[int | None, typer.Option(min=1, metavar="M", help="Length of a time of day.")] = None,
    hours: options.Hours = None,
    weekdays: options.Weekdays = None,
    limit: options.Limit = 20,
    is_json: options.AsJson = False,
) -> None:
    """Similar trips: same region, origin cell, destination cell and time of day; largest groups first."""
    with report_errors(is_json=is_json), connect_hub() as client:
        asked: dict[str, object] = {"region": region, "bbox": bbox, "end": end, "datasource": datasource, "limit": limit}
        asked |= {"precision": precision, "bucket_minutes": bucket_minutes, **parse_hours(hours), "weekdays": weekdays}
        answer = client.get("/api/v1/trip-groups", **asked)
        if is_json:
            print_json(answer)
        else:
            _print_groups(answer["groups"])


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
            _print_questions(answer["questions"])
        else:
            _print_result(answer)


def parse_hours(text: str | None) -> dict[str, int]:
    """Read A-B. Raises: RequestError."""
    if text is None:
        return {}
    match = re.fullmatch(r"(\d{1,2})-(\d{1,2})", text)
    if match is None:
        raise RequestError(f"Hours are A-B, such as 7-10, not {text!r}.", parameter="hours")
    return {"hour_from": int(match[1]), "hour_to": int(match[2])}


def _answer_question(client: "HubClient", name: str, parameters: list[str]) -> "Json":
    from urllib.parse import quote

    pairs = [pair.partition("=") for pair in parameters]
    for key, mark, _ in pairs:
        if not key or not mark:
            raise RequestError("--param is NAME=VALUE, such as datasource=cheap_mobile.", parameter="param")
    return client.get(f"/api/v1/questions/{quote(name, safe='')}", **{key: value for key, _, value in pairs})


def _print_weekly(answer: "Json") -> None:
    from loader.cli.tables import Column, format_bar, print_line, print_table

    if not answer["weeks"]:
        print_line("No trips under these filters.")
        return
    largest = max(week["trips"] for week in answer["weeks"])
    rows: list[tuple[object, ...]] = []
    for is_empty, run in groupby(answer["weeks"], key=lambda week: not week["trips"]):
        weeks = list(run)
        if is_empty and len(weeks) > _EMPTY_WEEKS:
            rows.append(("…", 0, f"{len(weeks):,} weeks without trips"))
            continue
        notes = ("  partial week" if week["is_partial"] else "" for week in weeks)
        rows += [(w["week"], w["trips"], format_bar(w["trips"], largest) + note) for w, note in zip(weeks, notes, strict=True)]
    print_table([Column("week"), Column("trips", is_number=True), Column("")], rows)
    counted = answer["weeks_counted"]
    print_line(f"\nWeekly average {answer['weekly_average']:,.2f}: {answer['trips']:,} trips in {counted:,} weeks.")
    if 0 < answer["weeks_with_trips"] != counted:
        busy = f"{answer['average_over_weeks_with_trips']:,.2f}"
        print_line(f"Over the {answer['weeks_with_trips']:,} weeks with trips: {busy}.")
    if answer["comparison"]:
        _print_comparison(answer["comparison"])


def _print_comparison(comparison: "Json") -> None:
    from loader.cli.tables import print_line

    other = comparison["other"]
    if other["weekly_average"] is None:
        print_line("The other period has no weeks.")
        return
    counted = f"{other['trips']:,} trips in {other['weeks_counted']:,} weeks"
    print_line(f"From {other['from_on']} to {other['to_on']}: weekly average {other['weekly_average']:,.2f}, {counted}.")
    if comparison["difference"] is not None:
        ratio = f", {comparison['ratio']:.3f} times as many" if comparison["ratio"] is not None else ""
        print_line(f"Difference {comparison['difference']:+,.2f} trips a week{ratio}.")


def _print_histogram(answer: "Json") -> None:
    from loader.cli.tables import Column, format_bar, print_line, print_table

    largest = max(each["trips"] for each in answer["bins"])
    rows = [(each["label"], each["trips"], format_bar(each["trips"], largest)) for each in answer["bins"]]
    print_table([Column(answer["by"]), Column("trips", is_number=True), Column("")], rows)
    if answer["unknown_trips"]:
        print_line(f"\nOf {answer['unknown_trips']:,} of {answer['trips']:,} trips no file tells the end.")


def _print_groups(found: "list[Json]") -> None:
    from loader.cli.tables import Column, print_line, print_table

    if not found:
        print_line("No trips under these filters.")
        return
    columns = [Column("region"), Column("origin"), Column("destination"), Column("from"), Column("trips", is_number=True)]
    columns += [Column("mean origin"), Column("mean destination"), Column("first"), Column("last"), Column("datasources")]
    rows = [
        (
            group["region"],
            group["origin_cell"],
            group["destination_cell"],
            "{:02}:{:02}".format(*divmod(group["bucket_minute"], 60)),
            group["trips"],
            f"{group['origin_longitude']:.5f} {group['origin_latitude']:.5f}",
            f"{group['destination_longitude']:.5f} {group['destination_latitude']:.5f}",
            group["first_at"],
            group["last_at"],
            group["datasources"],
        )
        for group in found
    ]
    print_table(columns, rows)


def _print_names(noun: str, *, is_json: bool) -> None:
    from loader.cli.tables import Column, print_table

    with report_errors(is_json=is_json), connect_hub() as client:
        answer = client.get(f"/api/v1/{noun}")
        if is_json:
            print_json(answer)
            return
        columns = [Column(noun.removesuffix("s")), Column("trips", is_number=True), Column("first"), Column("last")]
        print_table(columns, [(row["name"], row["trips"], row["first_at"], row["last_at"]) for row in answer[noun]])


def _print_questions(found: "list[Json]") -> None:
    from loader.cli.tables import Column, print_table

    rows = [(row["name"], row["title"], " ".join(f"{key}={value}" for key, value in row["parameters"].items())) for row in found]
    print_table([Column("name"), Column("question"), Column("parameters")], rows)


def _print_result(answer: "Json") -> None:
    from loader.cli.tables import Column, print_table

    print_table([Column(name) for name in answer["columns"]], answer["rows"])
