"""Containers in each other, what lies beside the data, and files of other kinds."""

import gzip
import io
import lzma
import pickle
import sqlite3
import tarfile
from collections.abc import Callable
from contextlib import closing
from datetime import datetime

import polars as pl
import pytest

from loader.formats import BatchSplitter, FilePlan, LoadOptions, inspect_format
from loader.formats.containers import archived_parquet as packed_parquet
from loader.formats.containers.decompress import zstd
from loader.formats.containers.signatures import SIGNATURES, TEXTS, recognise
from loader.formats.containers.tables import is_table
from shared.platform.errors import FileFormatError
from tests.unit.formats.archives import make_tar, make_zip
from tests.unit.formats.loading import Loaded, cut, load_bytes

HEAD = b"region,origin,destination,started_at,note\n"
GOOD = b"Turin,POINT (7.6 45.0),POINT (7.7 45.1),2018-05-28 09:03:40,fine\n"
BESIDE = {
    "__MACOSX/._trips.csv": b"\0\x05\x16\x07" + bytes(200),
    ".DS_Store": b"\0\0\0\1Bud1" + bytes(200),
    "README": b"Trips, counted; of 2018.\n",
    "readme first.txt": b"a,b,c\n",
    "LICENSE.txt": b"Free, as in beer.\n",
    "notes.txt": b"These trips were counted by us,\nin a city; nobody else was there.\nThanks.\n",
    "dictionary/data_dictionary.csv": b"column,meaning\nregion,a city\n",
    "metadata.json": b'{"title": "trips"}',
    "map.png": b"\x89PNG\r\n\x1a\n" + bytes(100),
    "report.PDF": b"%PDF-1.7",
    "trips.shp": b"\0\0\x27\x0a" + bytes(100),
    "copy.sqlite": b"SQLite format 3\0" + bytes(100),
    "_SUCCESS": b"",
    "empty.csv": b"",
}


def refuse(data: bytes) -> FileFormatError:
    with pytest.raises(FileFormatError) as caught:
        load_bytes(data)
    assert len(caught.value.message) < 700
    return caught.value


def make_parquet(rows: int = 5) -> bytes:
    out = io.BytesIO()
    pl.DataFrame(
        {
            "start_lng": [7.6] * rows,
            "start_lat": [45.0] * rows,
            "end_lng": [7.7] * rows,
            "end_lat": [45.1] * rows,
            "started_at": [datetime(2018, 5, 28, 9, 3, 40)] * rows,  # noqa: DTZ001
        }
    ).write_parquet(out)
    return out.getvalue()


PACKERS: dict[str, Callable[[dict[str, bytes]], bytes]] = {
    "zip": make_zip,
    "tar": make_tar,
    "old tar": lambda members: make_tar(members, form=tarfile.USTAR_FORMAT),
    "tar.gz": lambda members: gzip.compress(make_tar(members)),
    "tar.zst": lambda members: zstd.compress(make_tar(members)),
    "tar in zip": lambda members: make_zip({"a.tar": make_tar(members)}),
    "zip in zip": lambda members: make_zip({"inner.zip": make_zip(members)}),
    "zip in gz": lambda members: gzip.compress(make_zip(members)),
    "gz in zip": lambda members: make_zip({f"{name}.gz": gzip.compress(data) for name, data in members.items()}),
    "zip in tar.gz": lambda members: gzip.compress(make_tar({"2018.zip": make_zip(members)})),
}


def inspect(data: bytes) -> tuple[int, int]:
    rows = inspect_format(data, file_name="file", options=LoadOptions(), is_whole=True).rows
    return rows.rows_read, rows.rejects.height


@pytest.mark.parametrize("packer", sorted(PACKERS))
@pytest.mark.parametrize("chunk_bytes", [333, 2**20])
def test_tables_are_found_in_every_container(packer: str, chunk_bytes: int) -> None:
    data = PACKERS[packer]({"2018/a.csv": HEAD + GOOD * 3, "2018/b.csv": HEAD + GOOD.strip()})
    loaded = load_bytes(data, chunk_bytes=chunk_bytes)
    assert (loaded.rows, loaded.trips.height) == (4, 4)
    assert inspect(data) == (3, 0)
    assert [str(piece.member).removesuffix(".gz")[-10:] for piece in loaded.pieces] == ["2018/a.csv", "2018/b.csv"]


@pytest.mark.parametrize("packer", ["zip", "tar.gz", "zip in zip"])
@pytest.mark.parametrize("is_last", [True, False])
def test_what_lies_beside_the_data_is_passed_over(packer: str, is_last: bool) -> None:
    trips = {"trips.csv": HEAD + GOOD * 3}
    data = PACKERS[packer]({**BESIDE, **trips} if is_last else {**trips, **BESIDE})
    assert load_bytes(data).trips.height == 3
    assert inspect(data) == (3, 0)


@pytest.mark.parametrize("name", ["trips.csv", "history.csv", "2018/about.tsv", "part-00000", "Readmission.csv"])
def test_names_of_tables(name: str) -> None:
    assert is_table(name)


@pytest.mark.parametrize("packer", ["zip", "tar.gz", "zip in gz"])
def test_a_parquet_file_in_an_archive_is_loaded(packer: str) -> None:
    data = PACKERS[packer]({"README.md": b"hello", "trips.parquet": make_parquet()})
    loaded = load_bytes(data)
    assert (loaded.plan.kind, loaded.rows, loaded.trips.height) == ("parquet", 5, 5)
    assert inspect(data) == (5, 0)
    error = refuse(PACKERS[packer]({"1.parquet": make_parquet(), "2.parquet": make_parquet()}))
    assert error.error_code == "members_differ"
    assert refuse(PACKERS[packer]({"1.csv": HEAD + GOOD, "2.parquet": make_parquet()})).error_code == "members_differ"
    assert refuse(PACKERS[packer]({"1.parquet": make_parquet(), "2.csv": HEAD + GOOD})).error_code == "members_differ"


def test_a_large_parquet_file_in_an_archive_is_planned_when_it_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    data = gzip.compress(make_parquet(20_000))
    assert load_bytes(data, sample_bytes=2_000).trips.height == 20_000
    notes = inspect_format(data[:2_000], file_name="file", options=LoadOptions(), is_whole=False).notes
    assert "can be loaded" in notes[0]
    monkeypatch.setattr(packed_parquet, "PACKED_PARQUET_LIMIT_BYTES", 1_000)
    assert refuse(data).error_code == "packed_parquet_too_large"


def test_members_of_other_columns_are_named() -> None:
    stations = b"id,name,latitude,longitude\n1,Main,45.0,7.6\n"
    error = refuse(make_zip({"stations.csv": stations, "trips.csv": HEAD + GOOD}))
    assert error.error_code == "missing_roles"
    assert "stations.csv in the archive" in error.message
    assert "trips.csv" in error.message
    error = refuse(make_zip({"trips.csv": HEAD + GOOD, "stations.csv": stations}))
    assert (error.error_code, error.facts["member"]) == ("members_differ", "stations.csv")
    error = refuse(make_zip({"1.csv": HEAD + GOOD, "2.csv": HEAD.replace(b",", b";") + GOOD.replace(b",", b";")}))
    assert "semicolons" in error.message
    wider = HEAD.replace(b",note", b",note,more")
    assert refuse(make_zip({"1.csv": HEAD + GOOD, "2.csv": wider + GOOD})).error_code == "members_differ"


def test_a_file_cut_by_lines_is_one_table() -> None:
    loaded = load_bytes(make_zip({"xaa": HEAD + GOOD * 3, "xab": GOOD * 2, "xac": GOOD.strip()}))
    assert (loaded.rows, loaded.trips.height) == (6, 6)
    bad = GOOD.replace(b"7.6 45.0", b"7.6 95.0")
    loaded = load_bytes(make_zip({"xaa": HEAD + GOOD, "xab": GOOD + bad}))
    assert loaded.rejects.select("line", "record").rows() == [(2, 3)]


def test_archives_in_archives_end_somewhere() -> None:
    data = HEAD + GOOD
    for _ in range(4):
        data = gzip.compress(data)
    assert load_bytes(data).trips.height == 1
    assert refuse(gzip.compress(data)).error_code == "unsupported_archive"


@pytest.mark.slow
def test_expansion_counts_over_all_containers() -> None:
    inner = gzip.compress(b"\n" * 2**27)
    with pytest.raises(FileFormatError) as caught:
        list(BatchSplitter(FilePlan(compression="gzip")).split(cut(gzip.compress(inner), 2**16)))
    assert caught.value.error_code == "decompression_bomb"


@pytest.mark.parametrize("data", [make_tar({"a.csv": HEAD + GOOD * 50})[:at] for at in (700, 2_000)])
def test_a_tar_that_was_cut_off(data: bytes) -> None:
    assert refuse(data).error_code == "truncated_archive"


def test_hostile_tar_headers() -> None:
    good = make_tar({"a.csv": HEAD + GOOD})
    assert refuse(good[:1024] + b"x" * 512).error_code == "damaged_archive"
    long = tarfile.TarInfo("x" * 90_000)
    assert refuse(long.tobuf(tarfile.GNU_FORMAT) + good).error_code == "damaged_archive"
    named = make_tar({"folder/" + "y" * 300 + "\n.csv": HEAD + GOOD})
    assert "\n" not in str(load_bytes(named).pieces[0].member)
    many = [tarfile.TarInfo(f"{number}.csv").tobuf(tarfile.USTAR_FORMAT) for number in range(10_001)]
    assert "first 1 MiB" in refuse(b"".join(many)).message
    with pytest.raises(FileFormatError) as caught:
        list(BatchSplitter(FilePlan(compression="tar")).split(many))
    assert caught.value.error_code == "too_many_members"


FOREIGN = {
    "pickle": (pickle.dumps({"a": [1, 2]}), "pickle"),
    "old pickle": (pickle.dumps(["a"], protocol=2), "pickle"),
    "xz": (lzma.compress(HEAD), "xz"),
    "lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n", "Git LFS"),
    "annex": (b"../.git/annex/objects/xx/SHA256E-s1--1.csv\n", "git-annex"),
    "html": (b"\xef\xbb\xbf\n <html>\n<table><tr><td>a</td></tr></table></html>", "web page"),
    "table": ("<table><tr><th>a</th></tr></table>".encode("utf-16"), "web page"),
    "s3": (b'<?xml version="1.0"?>\n<Error><Code>AccessDenied</Code><Message>no</Message></Error>', "object store"),
    "gpx": (b'<?xml version="1.0"?><gpx version="1.1"><trk></trk></gpx>', "GPX"),
    "kml": (b'<?xml version="1.0"?>\n<kml xmlns="http://www.opengis.net/kml/2.2"></kml>', "KML"),
    "xml": (b"<?xml version='1.0'?><rows><row a='1'/></rows>", "XML"),
    "sql": (b"-- a\n/*!40101 SET NAMES utf8 */;\nSET x = 1;\nINSERT INTO trips VALUES (1, 2, 3);\n", "SQL"),
    "pg dump": (b"--\n-- PostgreSQL database dump\n--\n\nSET statement_timeout = 0;\n", "SQL"),
    "utf-32": ((HEAD + GOOD).decode().encode("utf-32"), "UTF-32"),
    "utf-32-be": ((HEAD + GOOD).decode().encode("utf-32-be"), "UTF-32"),
    "utf-32-le": ((HEAD + GOOD).decode().encode("utf-32-le"), "UTF-32"),
    "feather": (b"FEA1" + bytes(100), "Feather"),
    "hdf5": (b"\x89HDF\r\n\x1a\n" + bytes(100), "HDF5"),
    "shapefile": (b"\0\0\x27\x0a" + bytes(100), "shapefile"),
    "jpeg": (b"\xff\xd8\xff\xe0" + bytes(100), "image"),
    "lz4": (b"\x04\x22\x4d\x18" + bytes(range(100)), "lz4"),
    "mail": (b"MIME-Version: 1.0\nContent-Type: text/csv\n\na,b,c\n", "mail"),
}


@pytest.mark.parametrize("kind", sorted(FOREIGN))
@pytest.mark.parametrize("packer", [bytes, gzip.compress, lambda data: make_zip({"data.bin": data})], ids=["bare", "gzip", "zip"])
def test_other_files_are_named_for_what_they_are(kind: str, packer: Callable[[bytes], bytes]) -> None:
    data, word = FOREIGN[kind]
    error = refuse(packer(data))
    assert error.error_code == "not_a_table"
    assert word in error.message


def test_a_geopackage_is_told_from_another_database() -> None:
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute("pragma application_id = 0x47504B47")
        database.execute("create table t (a)")
        assert "GeoPackage" in refuse(database.serialize()).message


@pytest.mark.parametrize(
    "header",
    [
        b"ORC,start_lng,start_lat,end_lng,end_lat,started_at\n",
        b"ID3,start_lng,start_lat,end_lng,end_lat,started_at\n",
        b"MZ,start_lng,start_lat,end_lng,end_lat,started_at\n",
        b"From Place,start_lng,start_lat,end_lng,end_lat,started_at\n",
        b"select,start_lng,start_lat,end_lng,end_lat,started_at\n",
        b"<id>,start_lng,start_lat,end_lng,end_lat,started_at\n",
    ],
)
def test_names_that_look_like_signatures(header: bytes) -> None:
    assert load_bytes(header + b"1,7.6,45.0,7.7,45.1,2018-05-28 09:03:40\n" * 3).trips.height == 3


def test_signatures_are_sound() -> None:
    for _, magic, name, advice in SIGNATURES:
        assert magic
        assert name
        assert advice.endswith(".") or advice.endswith(").")
    assert len({pattern for pattern, _, _ in TEXTS}) == len(TEXTS)
    assert recognise(HEAD + GOOD) is None
    assert recognise(b"/*" * 2_000 + b"--\n" * 500) is None


def test_loaded_is_what_was_packed() -> None:
    loaded: Loaded = load_bytes(PACKERS["tar.gz"]({"a.csv": HEAD + GOOD}))
    assert loaded.plan.compression == "gzip"


@pytest.mark.parametrize("packer", PACKERS)
@pytest.mark.parametrize("name", ["data/trips.csv", "trips.csv", "TRIPS.csv"])
def test_a_named_table_is_read_alone(packer: str, name: str) -> None:
    members = {"stations.csv": b"id,name,capacity\n1,Main,20\n", "data/trips.csv": HEAD + GOOD, "z.csv": b"a,b\n1,2\n"}
    loaded = load_bytes(PACKERS[packer](members), options=LoadOptions(member=name))
    assert (loaded.trips.height, loaded.rejects.height) == (1, 0)
    assert all("data/trips.csv" in str(piece.member) for piece in loaded.pieces)


@pytest.mark.parametrize("packer", PACKERS)
def test_a_named_parquet_file_is_read_beside_others(packer: str) -> None:
    members = {"1.csv": HEAD + GOOD, "2.parquet": make_parquet(), "3.parquet": make_parquet()}
    assert load_bytes(PACKERS[packer](members), options=LoadOptions(member="2.parquet")).plan.kind == "parquet"
    assert load_bytes(PACKERS[packer](members), options=LoadOptions(member="1.csv")).trips.height == 1


def test_files_that_differ_are_offered_to_choose_from() -> None:
    data = make_zip({"trips.csv": HEAD + GOOD, "stations.csv": b"id,name,capacity\n1,Main,20\n"})
    with pytest.raises(FileFormatError) as caught:
        load_bytes(data)
    choices = caught.value.facts["choices"]
    assert isinstance(choices, list)
    assert [choice["options"] for choice in choices] == [{"member": "trips.csv"}, {"member": "stations.csv"}]
    assert load_bytes(data, options=LoadOptions(**choices[0]["options"])).trips.height == 1


def test_a_table_that_is_not_there_is_no_guess() -> None:
    archive = make_zip({"trips.csv": HEAD + GOOD, "stations.csv": HEAD + GOOD})
    for data, named in ((archive, True), (HEAD + GOOD, False), (gzip.compress(HEAD + GOOD), False)):
        with pytest.raises(FileFormatError) as caught:
            load_bytes(data, options=LoadOptions(member="rides.csv"))
        assert caught.value.error_code == "no_such_member"
        assert bool(caught.value.facts.get("choices")) == named
