"""Answers to questions for people, on standard output."""

from itertools import groupby

from loader.cli.client import Json
from loader.cli.tables import Column, count, format_bar, print_line, print_table

# Runs of more weeks without trips become one line.
_EMPTY_WEEKS = 3


def print_weekly(answer: Json) -> None:
    """Weeks, average and comparison."""
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
    print_line("")
    print_line(f"Weekly average {answer['weekly_average']:,.2f}: {count(answer['trips'], 'trip')} in {count(counted, 'week')}.")
    if 0 < answer["weeks_with_trips"] != counted:
        busy = f"{answer['average_over_weeks_with_trips']:,.2f}"
        print_line(f"Over the {count(answer['weeks_with_trips'], 'week')} with trips: {busy}.")
    if answer["precision"]:
        print_line(answer["precision"])
    if answer["comparison"]:
        _print_comparison(answer["comparison"])


def _print_comparison(comparison: Json) -> None:
    other = comparison["other"]
    if other["weekly_average"] is None:
        print_line("The other period has no weeks.")
        return
    counted = f"{count(other['trips'], 'trip')} in {count(other['weeks_counted'], 'week')}"
    print_line(f"From {other['from_on']} to {other['to_on']}: weekly average {other['weekly_average']:,.2f}, {counted}.")
    if comparison["difference"] is not None:
        ratio = f", {comparison['ratio']:.3f} times as many" if comparison["ratio"] is not None else ""
        print_line(f"Difference {comparison['difference']:+,.2f} trips a week{ratio}.")


def print_histogram(answer: Json) -> None:
    """Bars."""
    _print_bars(answer["by"], [(each["label"], each["trips"]) for each in answer["bins"]])
    if answer["unknown_trips"]:
        print_line("")
        print_line(f"Of {answer['unknown_trips']:,} of {answer['trips']:,} trips no file tells the end.")


def print_groups(found: list[Json]) -> None:
    """Trip groups."""
    if not found:
        print_line("No trips under these filters.")
        return
    columns = [Column("region"), Column("origin"), Column("destination"), Column("from"), Column("trips", is_number=True)]
    columns += [Column("mean origin"), Column("mean destination"), Column("first"), Column("last"), Column("datasources")]
    rows = [
        (
            group["region"],
            f"{group['origin_name']} ({group['origin_cell']})",
            f"{group['destination_name']} ({group['destination_cell']})",
            "{:02}:{:02}".format(*divmod(group["bucket_minute"], 60)),
            group["trips"],
            f"{group['origin_longitude']:.5f} {group['origin_latitude']:.5f}",
            f"{group['destination_longitude']:.5f} {group['destination_latitude']:.5f}",
            group["first_on"],
            group["last_on"],
            group["datasources"],
        )
        for group in found
    ]
    print_table(columns, rows)


def print_questions(found: list[Json]) -> None:
    """The ready questions."""
    rows = [(row["name"], row["title"], " ".join(f"{key}={value}" for key, value in row["parameters"].items())) for row in found]
    print_table([Column("name"), Column("question"), Column("parameters")], rows)


def print_result(answer: Json) -> None:
    """Columns and rows."""
    print_table([Column(name) for name in answer["columns"]], answer["rows"])


def print_group(answer: Json) -> None:
    """One trip group: weeks, hours, trips."""
    if not answer["trips"]:
        print_line("No trips under these filters.")
        return
    _print_bars("week", [(week["week"], week["trips"]) for week in answer["weeks"]])
    print_line("")
    _print_bars("hour", [(f"{hour:02}:00", trips) for hour, trips in enumerate(answer["hours"] or [])])
    print_line("")
    print_line(f"{count(answer['trips'], 'trip')}, the newest:")
    columns = [Column("start"), Column("region"), Column("datasource"), Column("origin"), Column("destination"), Column("load")]
    rows = [
        (
            trip["started_at"],
            trip["region"],
            trip["datasource"],
            f"{trip['origin_longitude']:.5f} {trip['origin_latitude']:.5f}",
            f"{trip['destination_longitude']:.5f} {trip['destination_latitude']:.5f}",
            trip["load_id"],
        )
        for trip in answer["samples"]
    ]
    print_table(columns, rows)


def _print_bars(name: str, bars: list[tuple[str, int]]) -> None:
    largest = max(trips for _, trips in bars)
    rows = [(label, trips, format_bar(trips, largest)) for label, trips in bars]
    print_table([Column(name), Column("trips", is_number=True), Column("")], rows)
