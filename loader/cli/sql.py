"""`tripdeck sql`: an analyst's own question."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from loader.cli import options
from loader.cli.session import connect_hub, print_error, print_json, report_errors
from shared.platform.errors import RequestError

if TYPE_CHECKING:
    from loader.cli.client import Json

_FORMS: Final = {".csv": "csv", ".parquet": "parquet", ".arrow": "arrow", ".arrows": "arrow"}


def sql(
    statement: Annotated[str, typer.Argument(metavar="SQL", help="One SELECT; - reads it from standard input.")],
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write the answer to a .csv, .parquet or .arrow file.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, metavar="N", help="Rows at most; the hub has a limit of its own.")] = None,
    is_json: options.AsJson = False,
) -> None:
    """Ask in SQL over the views trips, weekly_trips, rejects, load_history, region, datasource, place and place_set."""
    with report_errors(is_json=is_json), connect_hub() as client:
        text = sys.stdin.read() if statement == "-" else statement
        body = json.dumps({"sql": text, "limit": limit}).encode()
        if output is not None:
            form = _FORMS.get(output.suffix.lower())
            if form is None:
                raise RequestError("The file's name ends with .csv, .parquet or .arrow.", parameter="output")
            data, is_truncated = client.post_for_file("/api/v1/sql", body=body, params={"format": form})
            output.write_bytes(data)
        else:
            answer = client.post("/api/v1/sql", body=body)
            is_truncated = answer["is_truncated"]
            if is_json:
                print_json(answer)
            else:
                _print(answer)
        if is_truncated:
            print_error("The answer ends at the limit; it has more rows.")


def _print(answer: "Json") -> None:
    from loader.cli.tables import Column, print_table

    print_table([Column(name, is_number=_is_number(answer, n)) for n, name in enumerate(answer["columns"])], answer["rows"])


def _is_number(answer: "Json", column: int) -> bool:
    values: list[Any] = [row[column] for row in answer["rows"] if row[column] is not None]
    return bool(values) and all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)
