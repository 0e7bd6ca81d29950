"""The bench's questions in DuckDB: a table of the same trips as two positions, and the same masks.

    with DuckQuestions.copy(engine, folder, is_sorted=False) as duck:
        duck.ask(WeeklyQuestion(area=box))      # trips counted

Unsorted is how trips come; sorted by origin, DuckDB skips what lies elsewhere. Both are one thread per core, the table on disk.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self

from sqlalchemy import Engine

from shared.domain.area import GridArea
from shared.domain.position import X_MASK, Y_MASK
from shared.groups.question import FlowQuestion
from shared.questions.weekly import WeeklyQuestion
from shared.services.database import driver_connection, transaction

_COLUMNS: Final = "started_at timestamp, origin bigint, destination bigint, region varchar, datasource varchar"


class DuckQuestions:
    """A DuckDB with a table `trip`."""

    def __init__(self, connection: Any) -> None:  # noqa: ANN401 - optional dependency
        self._connection = connection

    @classmethod
    @contextmanager
    def copy(cls, engine: Engine, folder: Path, *, is_sorted: bool) -> Iterator[Self]:
        """Copy all trips into a new DuckDB in a folder; the file is removed afterwards."""
        import duckdb

        path = folder / "bench.duckdb"
        path.unlink(missing_ok=True)
        try:
            with duckdb.connect(path) as connection:
                connection.execute(f"create table trip ({_COLUMNS})")
                with _exported(engine, folder / "bench.csv") as csv:
                    connection.execute(f"insert into trip select * from read_csv('{csv}', header = false, columns = {_CSV})")
                if is_sorted:
                    connection.execute("create or replace table trip as select * from trip order by origin")
                connection.execute("checkpoint")
                yield cls(connection)
        finally:
            path.unlink(missing_ok=True)

    def ask(self, question: WeeklyQuestion | FlowQuestion) -> int:
        """Answer as our own question does, and return the trips counted."""
        if isinstance(question, WeeklyQuestion):
            query = f"select date_trunc('week', started_at), count(*) from trip where {_weekly_condition(question)} group by 1"
        else:
            query = _flow_query(question)
        rows = self._connection.execute(query).fetchall()
        return sum(row[-1] for row in rows)


_CSV: Final = "{" + ", ".join(f"'{column.split()[0]}': '{column.split()[1]}'" for column in _COLUMNS.split(", ")) + "}"


@contextmanager
def _exported(engine: Engine, path: Path) -> Iterator[Path]:
    """All trips as one CSV file, for the length of a block."""
    statement = """
        copy (select started_at, origin, destination, r.name, d.name from trip join region as r using (region_id)
              join datasource as d using (datasource_id)) to stdout (format csv)
    """
    try:
        with transaction(engine) as connection, path.open("wb") as file:
            connection.exec_driver_sql("set local statement_timeout = 0")
            with driver_connection(connection).cursor().copy(statement) as copy:
                for block in copy:
                    file.write(block)
        yield path
    finally:
        path.unlink(missing_ok=True)


def _weekly_condition(question: WeeklyQuestion) -> str:
    conditions = [_time_condition(question)]
    if question.region:
        conditions.append(f"region = '{question.region}'")
    if question.area:
        ends = [_area_condition(name, question.area.on_grid()) for name in ("origin", "destination")]
        conditions.append(
            {
                "origin": ends[0],
                "destination": ends[1],
                "both": f"{ends[0]} and {ends[1]}",
                "either": f"({ends[0]} or {ends[1]})",
            }[question.end]
        )
    return " and ".join(conditions)


def _time_condition(question: WeeklyQuestion | FlowQuestion) -> str:
    if question.hours is None:
        return "true"
    hours = ", ".join(str(hour) for hour in question.hours)
    return f"(isodow(started_at) - 1) * 24 + hour(started_at) in ({hours})"


def _area_condition(name: str, area: GridArea) -> str:
    """A box that doesn't cross the antimeridian, as two masked comparisons with the range of positions in front."""
    z_low, z_high, x_low, x_high, *_, y_low, y_high = area.bounds()
    return (
        f"({name} between {z_low} and {z_high} and ({name} & {X_MASK}) between {x_low} and {x_high}"
        f" and ({name} & {Y_MASK}) between {y_low} and {y_high})"
    )


def _flow_query(question: FlowQuestion) -> str:
    """The largest flows alone, without the totals of locations that ours come with."""
    condition = _time_condition(question)
    if question.viewport:
        area = question.viewport.on_grid().outer(question.cell_shift)
        condition += f" and ({_area_condition('origin', area)} or {_area_condition('destination', area)})"
    shift = question.cell_shift
    return (
        f"select origin >> {shift} as origin_cell, destination >> {shift} as destination_cell, count(*) as trips "
        f"from trip where {condition} group by 1, 2 order by trips desc limit {question.limit}"
    )
