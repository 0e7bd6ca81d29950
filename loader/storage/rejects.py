"""Rejects: every one of a load as CSV in the object store, one object a batch beside the file; the first in the database too.

A batch writes its object before its transaction, which must not wait for a store, and always the same: an attempt that is rolled
back leaves an object that the next attempt writes again, and that nobody reads meanwhile, for the ledger says which are there.

    for block in render_rejects(KeptRejects(engine, store, load), RejectQuery(form="csv")): ...

Forms: `csv` has the file's own columns first, to be mended in a spreadsheet and loaded again, then where and why each row failed.
`rows` has the header and the raw records, as they were.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import polars as pl
from sqlalchemy import Engine

from loader.formats import BatchSlice, FilePlan
from loader.formats.validation.reject_details import RAW_LIMIT
from shared.platform.errors import RequestError
from shared.platform.safe_text import guard_formula
from shared.services.database import execute, transaction
from shared.services.objects import ObjectStore

COLUMNS: Final = ("line", "record", "column", "reason", "value", "raw")
# Characters of a record that the database keeps of a reject.

_SHOWN_ROWS: Final = 5_000
_UNCLOSED: Final = "unclosed_quote"


@dataclass(frozen=True)
class RejectQuery:
    """Which rejects, and in what form. after: a record number."""

    form: Literal["csv", "rows"] = "csv"
    reason: str | None = None
    after: int = 0


@dataclass(frozen=True)
class KeptRejects:
    """Where the rejects of a load are. load: a row of the table."""

    engine: Engine
    store: ObjectStore
    load: Mapping[str, Any]


def store_rejects(store: ObjectStore, object_key: str, piece: BatchSlice, *, rejects: pl.DataFrame) -> None:
    """Write a batch's rejects, with lines and records counted in the whole file. Raises: TransientError."""
    table = rejects.select(
        pl.col("line_in_batch") + piece.lines_before,
        pl.col("record_in_batch") + piece.records_before,
        "column_name",
        "reason",
        "value",
        "raw",
    )
    table.columns = list(COLUMNS)
    data = table.write_csv(quote_style="non_numeric").encode()
    store.put(_name_object(object_key, piece.batch_no), io.BytesIO(data), length=len(data))


def remove_rejects(store: ObjectStore, object_key: str) -> None:
    """Delete what batches of an object wrote."""
    store.remove_under(f"{object_key}.rejects/")


def remove_batch_rejects(store: ObjectStore, object_key: str, batch_no: int) -> None:
    """Delete what one batch of an object wrote, if it did."""
    store.remove(_name_object(object_key, batch_no))


def count_reasons(rejects: pl.DataFrame) -> dict[str, int]:
    """Count rejects per reason."""
    return {str(reason): int(rows) for reason, rows in rejects["reason"].value_counts().iter_rows()}


def pick_stored(rejects: pl.DataFrame, rows: int) -> pl.DataFrame:
    """Return the first rows as the database keeps them: with raw text that is not too long."""
    raw = pl.col("raw")
    is_long = raw.str.len_chars() > RAW_LIMIT
    return rejects.head(max(0, rows)).with_columns(pl.when(is_long).then(raw.str.head(RAW_LIMIT - 1) + "…").otherwise(raw))


def render_rejects(kept: KeptRejects, query: RejectQuery) -> Iterator[bytes]:
    """Render the rejects of a load, block by block. Raises: RequestError, TransientError."""
    plan = FilePlan.from_json(kept.load["plan"]) if kept.load["plan"] else FilePlan()
    tables = _read_rejects(kept, query)
    if query.form == "csv":
        return _render_csv(tables, plan)
    if plan.kind != "csv":
        raise RequestError("Rows of a Parquet file can't be given as text; ask for format csv.", parameter="format")
    # A quote that never closes would swallow the rows behind it, so such rows come last.
    last = _read_rejects(kept, RejectQuery("rows", _UNCLOSED, query.after)) if query.reason is None else iter(())
    first = (table.filter(pl.col("reason") != _UNCLOSED) if query.reason is None else table for table in tables)
    return _render_rows(first, last, plan)


def _read_rejects(kept: KeptRejects, query: RejectQuery) -> Iterator[pl.DataFrame]:
    load = kept.load
    with transaction(kept.engine) as connection:
        batches = execute(connection, "list_reject_batches", load_id=load["load_id"], after=query.after).all()
    for batch in batches:
        table = _read_object(kept.store, _name_object(load["object_key"], batch.batch_no)) if batch.has_reject_file else None
        if table is None:
            table = _read_database(kept.engine, load["load_id"], batch.batch_no)
        table = table.filter(pl.col("record") > query.after)
        yield table if query.reason is None else table.filter(pl.col("reason") == query.reason)


def _read_object(store: ObjectStore, key: str) -> pl.DataFrame:
    stored = store.stat(key)
    data = store.read_range(stored, 0, stored.bytes)
    schema = dict.fromkeys(COLUMNS, pl.String()) | {"line": pl.Int64(), "record": pl.Int64()}
    return pl.read_csv(data, schema=schema)


def _read_database(engine: Engine, load_id: int, batch_no: int) -> pl.DataFrame:
    with transaction(engine) as connection:
        rows = execute(connection, "list_batch_rejects", load_id=load_id, batch_no=batch_no).all()
    return pl.DataFrame([tuple(row) for row in rows], schema=list(COLUMNS), orient="row", infer_schema_length=None)


def _render_csv(tables: Iterator[pl.DataFrame], plan: FilePlan) -> Iterator[bytes]:
    yield _write_rows([[*plan.columns, *COLUMNS]])
    for table in tables:
        for page in table.iter_slices(_SHOWN_ROWS):
            yield _write_rows([*_split_raw(str(row[-1]), plan), *row] for row in page.iter_rows())


def _write_rows(rows: Iterator[Sequence[object]] | list[list[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([guard_formula(value) for value in row] for row in rows)
    return text.getvalue().encode()


def _split_raw(raw: str, plan: FilePlan) -> list[str]:
    """Return a record's fields, one per column: empty where missing; further ones are in the raw text only."""
    width = len(plan.columns)
    if width == 0 or plan.kind != "csv":
        return [""] * width
    dialect = plan.dialect
    reader = csv.reader(
        io.StringIO(raw, newline=""),
        delimiter=dialect.delimiter,
        quotechar=dialect.quote or '"',
        escapechar=dialect.escape or None,
        skipinitialspace=dialect.has_spaces,
    )
    try:
        fields = next(reader, [])
    except csv.Error:
        fields = []
    return (fields + [""] * width)[:width]


def _render_rows(first: Iterator[pl.DataFrame], last: Iterator[pl.DataFrame], plan: FilePlan) -> Iterator[bytes]:
    if plan.dialect.has_header and plan.columns:
        text = io.StringIO()
        dialect = plan.dialect
        csv.writer(text, delimiter=dialect.delimiter, quotechar=dialect.quote or '"', lineterminator="\n").writerow(plan.columns)
        yield text.getvalue().encode()
    for tables in (first, last):
        for table in tables:
            for page in table.iter_slices(_SHOWN_ROWS):
                yield "".join(f"{raw}\n" for raw in page["raw"]).encode()


def _name_object(object_key: str, batch_no: int) -> str:
    return f"{object_key}.rejects/{batch_no}.csv"
