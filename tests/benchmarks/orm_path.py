"""The way many loaders go: one Python object per row, added to an ORM session. A yardstick of bench_load."""

import csv
import itertools
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from sqlalchemy import BigInteger, Engine, SmallInteger
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from shared.domain.position import encode_position

# Objects of one flush: with ten times as many it is no faster.
_FLUSHED = 1_000


class _Base(DeclarativeBase):
    """Tables of this module."""


class _Trip(_Base):
    """Our table of trips. It has no key; the ORM wants to be told one."""

    __tablename__ = "trip"

    started_at: Mapped[datetime] = mapped_column(primary_key=True)
    origin: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    destination: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    load_id: Mapped[int] = mapped_column(primary_key=True)
    duration_s: Mapped[int | None]
    region_id: Mapped[int] = mapped_column(SmallInteger)
    datasource_id: Mapped[int] = mapped_column(SmallInteger)


def load_by_orm(engine: Engine, path: Path, *, rows: int) -> float:
    """Load the first rows of a file in the challenge's format, one transaction in all; returns seconds."""
    began = time.perf_counter()
    with Session(engine) as session, path.open(newline="", encoding="utf-8") as file:
        trips = _read(file, rows)
        while batch := list(itertools.islice(trips, _FLUSHED)):
            session.add_all(batch)
            session.flush()
            session.expunge_all()
        session.commit()
    return time.perf_counter() - began


def _read(file: Iterator[str], rows: int) -> Iterator[_Trip]:
    regions: dict[str, int] = {}
    datasources: dict[str, int] = {}
    for row in itertools.islice(csv.DictReader(file), rows):
        yield _Trip(
            started_at=datetime.fromisoformat(row["datetime"]),
            origin=_encode(row["origin_coord"]),
            destination=_encode(row["destination_coord"]),
            load_id=0,
            region_id=regions.setdefault(row["region"], len(regions) + 1),
            datasource_id=datasources.setdefault(row["datasource"], len(datasources) + 1),
        )


def _encode(point: str) -> int:
    longitude, latitude = point.removeprefix("POINT (").removesuffix(")").split()
    return encode_position(float(longitude), float(latitude))
