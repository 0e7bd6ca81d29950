"""A Parquet file larger than what the hub looks at: trips beside a column of random bytes that nobody needs."""

import io
import random
from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq

BEGAN = datetime.fromisoformat("2026-03-02T08:00:00")


def write_large_parquet(rows: int = 6_000, *, padding: int = 1_600, is_text: bool = False) -> bytes:
    """Write trips in Turin, one a minute. is_text: their starts are text that leaves the order of day and month open."""
    chance = random.Random(3)
    starts: list[object] = [BEGAN + timedelta(minutes=row) for row in range(rows)]
    if is_text:
        starts = [f"{1 + row % 12:02}/{1 + row % 12:02}/2026 08:00" for row in range(rows)]
    values = [
        starts,
        *([middle + chance.uniform(-0.02, 0.02) for _ in range(rows)] for middle in (7.67, 45.06, 7.66, 45.07)),
        [chance.randbytes(padding) for _ in range(rows)],
    ]
    names = ("start_time", "start_lng", "start_lat", "end_lng", "end_lat", "notes")
    out = io.BytesIO()
    pq.write_table(pa.table(dict(zip(names, values, strict=True))), out, compression="snappy", row_group_size=4_000)
    return out.getvalue()
