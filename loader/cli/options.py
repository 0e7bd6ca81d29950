"""Options that several commands share, as types."""

from typing import Annotated, Literal

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output instead.")]
LoadId = Annotated[int, typer.Argument(metavar="LOAD", min=1, help="Number of the load.")]
Limit = Annotated[int, typer.Option(min=1, metavar="N", help="Rows at most.")]

Region = Annotated[str | None, typer.Option(metavar="R", help="Trips of this region only.")]
Datasource = Annotated[str | None, typer.Option(metavar="D", help="Trips of this datasource only.")]
Bbox = Annotated[str | None, typer.Option(metavar="W,S,E,N", help="Box in degrees, edges included.")]
End = Annotated[Literal["origin", "destination", "both", "either"], typer.Option(help="Which end of a trip must lie in the box.")]

FileRegion = Annotated[str | None, typer.Option("--region", metavar="R", help="Region of all trips, for files without one.")]
FileDatasource = Annotated[
    str | None, typer.Option("--datasource", metavar="D", help="Datasource of all trips, for files without one.")
]
Timezone = Annotated[
    str | None, typer.Option(metavar="TZ", help="Time zone that times with an offset are converted to.  [default: UTC]")
]
Map = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="ROLE=COLUMN", help="Column of a role, such as started_at=pickup; repeatable."),
]
DateOrder = Annotated[Literal["ymd", "mdy", "dmy"] | None, typer.Option(help="Order of day, month and year.")]
AxisOrder = Annotated[Literal["lon_lat", "lat_lon"] | None, typer.Option(help="What comes first in points.")]
Header = Annotated[bool | None, typer.Option("--header/--no-header", help="Whether the first record names the columns.")]
Encoding = Annotated[str | None, typer.Option(metavar="NAME", help="Encoding of the text.")]
Delimiter = Annotated[str | None, typer.Option(metavar="CHAR", help="Character between fields.")]
Decimal = Annotated[str | None, typer.Option(metavar="CHAR", help="Decimal mark of numbers.")]
FileName = Annotated[str | None, typer.Option("--name", metavar="NAME", help="The file's name; needed for standard input (-).")]
