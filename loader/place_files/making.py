"""Place sets made of trip files that have both ids and coordinates of their ends.

maker = PlaceMaker(key=("from_station_id", "to_station_id"), label=None)
for path in paths:
    maker.read_file(path)
maker.write_csv()      # id, name, longitude, latitude: a place file
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import polars as pl

from loader.formats import SAMPLE_BYTES, BatchSplitter, FilePlan, LoadOptions, detect_format
from loader.formats.batch_parser import open_slice
from loader.formats.containers.byte_ranges import WholeFile
from loader.formats.model.places import clean_texts
from loader.formats.text.numbers import is_missing
from loader.formats.validation.rules import find_good
from loader.formats.validation.typed_columns import read_columns
from loader.formats.vocabulary.column_names import NameMeaning, read_names
from loader.place_files.columns import KEY_WORDS
from loader.place_files.table import FEATURES_LIMIT
from shared.platform.errors import FileFormatError, RequestError

_ENDS: Final = ("origin", "destination")
_CHUNK_BYTES: Final = 2**20
_PARQUET_MAGIC: Final = b"PAR1"
Pair = tuple[str, str]


class PlaceMaker:
    """Collects the places of trip files. key, label: the columns of both ends; None leaves them to the columns' names."""

    def __init__(self, *, key: Pair | None = None, label: Pair | None = None, options: LoadOptions | None = None) -> None:
        self._key, self._label = key, label
        self._options = options or LoadOptions()
        self._found: list[pl.DataFrame] = []

    def read_file(self, path: Path) -> None:
        """Read the places of one trip file. Raises: FileFormatError, RequestError where it has not both ids and coordinates."""
        with path.open("rb") as stream:
            sample = stream.read(SAMPLE_BYTES)
        is_parquet = sample.startswith(_PARQUET_MAGIC)
        data = path.read_bytes() if is_parquet else b""
        is_whole = path.stat().st_size <= len(sample)
        ranges = WholeFile(data) if is_parquet else None
        plan = detect_format(sample, file_name=path.name, options=self._options, is_whole=is_whole, ranges=ranges)
        plan = self._add_columns(plan)
        splitter = BatchSplitter(plan, gives_data=True)
        for piece, parts in splitter.split(_read_chunks(path)):
            batch = b"".join(parts) if parts is not None else data[piece.offset : piece.offset + piece.bytes]
            source = open_slice(batch, splitter.plan, piece)
            columns = read_columns(source, splitter.plan, self._options)
            good = pl.Series(find_good(columns))
            for end in _ENDS:
                ends = getattr(columns, end)
                key = clean_texts(source.text(splitter.plan.roles[f"{end}_key"]))
                label = source.text(splitter.plan.roles.get(f"{end}_label", splitter.plan.roles[f"{end}_key"]))
                frame = pl.DataFrame(
                    {"id": key, "name": label.str.strip_chars(), "longitude": ends.longitude, "latitude": ends.latitude}
                )
                self._take(frame.filter(good & pl.Series(~is_missing(key))))

    def write_csv(self) -> bytes:
        """The places as a place file: each lies where most of its trips do, and has the name that most of them have."""
        if not self._found:
            raise FileFormatError("The files have no trip with an id and coordinates.", code="missing_roles")
        counted = self._merge()
        if counted["id"].n_unique() > FEATURES_LIMIT:
            raise FileFormatError(
                f"The files have more than {FEATURES_LIMIT:,} ids: these are no places.", code="too_many_places"
            )
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(["id", "name", "longitude", "latitude"])
        writer.writerows(
            counted.sort("rows", descending=True).unique("id", maintain_order=True).drop("rows").sort("id").iter_rows()
        )
        return text.getvalue().encode()

    def _take(self, frame: pl.DataFrame) -> None:
        self._found.append(frame.group_by("id", "name", "longitude", "latitude").agg(rows=pl.len()))
        if sum(each.height for each in self._found) > 10 * FEATURES_LIMIT:
            self._found = [self._merge()]

    def _merge(self) -> pl.DataFrame:
        return pl.concat(self._found).group_by("id", "name", "longitude", "latitude").agg(pl.col("rows").sum())

    def _add_columns(self, plan: FilePlan) -> FilePlan:
        """Give the columns of ids and names roles of their own, so that they are read. Raises: RequestError."""
        keys = self._key or self._find(plan, is_key=True)
        if keys is None:
            names = ", ".join(plan.columns[:30])
            raise RequestError(
                f"No columns are named as ids of both ends. Columns: {names}. Say which: --key ORIGIN,DESTINATION.",
                parameter="key",
            )
        labels = self._label or self._find(plan, is_key=False)
        added = {f"{end}_key": _find_column(plan, name) for end, name in zip(_ENDS, keys, strict=True)}
        if labels:
            added |= {f"{end}_label": _find_column(plan, name) for end, name in zip(_ENDS, labels, strict=True)}
        return replace(plan, roles={**plan.roles, **added})

    def _find(self, plan: FilePlan, *, is_key: bool) -> Pair | None:
        """Columns of both ends named as an id, or otherwise named for the end."""
        meanings = read_names(plan.columns)
        used = set(plan.roles.values())
        found = [
            next(
                (
                    name
                    for name, it in zip(plan.columns, meanings, strict=True)
                    if _is_place(it, end) and bool(KEY_WORDS & set(it.words)) == is_key and plan.columns.index(name) not in used
                ),
                None,
            )
            for end in _ENDS
        ]
        origin, destination = found
        return None if origin is None or destination is None else (origin, destination)


def _is_place(meaning: NameMeaning, end: str) -> bool:
    return (
        meaning.side == end
        and meaning.kind in ("point", None)
        and not meaning.traits & {"duration", "count", "not the trip", "before the trip"}
    )


def _find_column(plan: FilePlan, wanted: str) -> int:
    folded = [name.strip().casefold() for name in plan.columns]
    if wanted.strip().casefold() not in folded:
        raise RequestError(f"There is no column {wanted!r}. Columns: {', '.join(plan.columns[:30])}.", parameter="key")
    return folded.index(wanted.strip().casefold())


def _read_chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            yield chunk
