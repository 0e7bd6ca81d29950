"""Options that several commands share, as types."""

from pathlib import Path
from typing import Annotated, Literal

import typer


def _read_delimiter(text: str | None) -> str | None:
    return "\t" if text in ("tab", "\\t") else text


AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output instead.")]
LoadId = Annotated[int, typer.Argument(metavar="LOAD", min=1, help="Number of the load.")]
Limit = Annotated[int, typer.Option(min=1, metavar="N", help="Rows at most.")]

Region = Annotated[str | None, typer.Option(metavar="R", help="Trips of this region only.")]
Datasource = Annotated[str | None, typer.Option(metavar="D", help="Trips of this datasource only.")]
Bbox = Annotated[str | None, typer.Option(metavar="W,S,E,N", help="Box in degrees, edges included.")]
ShapeFile = Annotated[
    Path | None,
    typer.Option("--shape", metavar="FILE", help="Area of any shape: a GeoJSON file with polygons, - for standard input."),
]
Area = Annotated[str | None, typer.Option(metavar="NAME", help="Named area or zone: its name, key or id, or SET/NAME.")]
End = Annotated[
    Literal["origin", "destination", "both", "either"], typer.Option(help="Which end of a trip must lie in the area.")
]

BucketMinutes = Annotated[int | None, typer.Option(min=1, metavar="M", help="Length of a time of day.")]
FromDay = Annotated[str | None, typer.Option("--from", metavar="DAY", help="First day of the period, YYYY-MM-DD.")]
ToDay = Annotated[str | None, typer.Option("--to", metavar="DAY", help="Last day of the period, included.")]
Hours = Annotated[str | None, typer.Option(metavar="A-B", help="From hour A until before hour B; 22-6 passes midnight.")]
Weekdays = Annotated[str | None, typer.Option(metavar="DAYS", help="1 (Monday) to 7, as in 1-5 or 6,7; weekday; weekend.")]

FileRegion = Annotated[str | None, typer.Option("--region", metavar="R", help="Region of all trips, for files without one.")]
FileDatasource = Annotated[
    str | None, typer.Option("--datasource", metavar="D", help="Datasource of all trips, for files without one.")
]
Timezone = Annotated[
    str | None, typer.Option(metavar="TZ", help="Time zone that times with an offset are converted to.  [default: UTC]")
]
Map = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="ROLE=COLUMN", help="Column of a role, such as started_at=pickup; - for none; repeatable."),
]
DateOrder = Annotated[Literal["ymd", "mdy", "dmy"] | None, typer.Option(help="Order of day, month and year.")]
TimeForm = Annotated[
    Literal[
        "text",
        "digits",
        "digits_yy",
        "digits_dmy",
        "digits_mdy",
        "digits_dmyy",
        "digits_mdyy",
        "epoch_s",
        "epoch_ms",
        "epoch_us",
        "epoch_ns",
        "epoch_min",
        "epoch_2001_s",
        "epoch_2001_ms",
        "epoch_2001_us",
        "epoch_2001_ns",
        "epoch_1960_s",
        "epoch_1960_ms",
        "gps_s",
        "gps_ms",
        "ticks",
        "filetime",
        "webkit",
        "excel_1900",
        "excel_1904",
        "julian",
    ]
    | None,
    typer.Option(help="What numbers in a time column mean."),
]
AxisOrder = Annotated[Literal["lon_lat", "lat_lon"] | None, typer.Option(help="What comes first in points.")]
Crs = Annotated[
    str | None, typer.Option(metavar="CODE", help="Reference system of coordinates that are not WGS 84, such as EPSG:32618.")
]
CoordinateUnit = Annotated[Literal["degrees", "e7", "e6", "e5", "radians"] | None, typer.Option(help="Unit of coordinates.")]
Header = Annotated[bool | None, typer.Option("--header/--no-header", help="Whether the first record names the columns.")]
Encoding = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Encoding of the text: utf-8, windows-1250, gb18030, or any other that Python has."),
]
Delimiter = Annotated[
    str | None, typer.Option(metavar="CHAR", callback=_read_delimiter, help="Character between fields: , ; | or tab.")
]
Decimal = Annotated[Literal[".", ","] | None, typer.Option(help="Decimal mark of numbers.")]
Sheet = Annotated[
    str | None, typer.Option(metavar="NAME", help="Sheet of a workbook; of a JSON file, the keys of its array of records.")
]
Places = Annotated[
    str | None, typer.Option(metavar="NAME", help="Place set that knows the ids or names of the ends, such as zones or stations.")
]
Member = Annotated[str | None, typer.Option(metavar="NAME", help="Table of an archive to read, by its path or file name.")]
PolylinePrecision = Annotated[
    int | None, typer.Option(min=5, max=6, metavar="5|6", help="Digits behind the point in encoded polylines: 5 (Google) or 6.")
]
MaxRejects = Annotated[int | None, typer.Option(min=0, metavar="N", help="More rejects fail the load; nothing of it stays.")]
MaxShare = Annotated[
    float | None,
    typer.Option("--max-reject-share", min=0, max=1, metavar="S", help="The same as a share of the rows, such as 0.05."),
]
LastTime = Annotated[
    bool | None,
    typer.Option("--last-time/--no-last-time", help="Whether options remembered for files of the same kind apply."),
]
FileName = Annotated[str | None, typer.Option("--name", metavar="NAME", help="The file's name; needed for standard input (-).")]
