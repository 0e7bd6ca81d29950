"""Archives: what the directory lists is read, however many members there are, and within limits."""

import gzip
import io
import random
import time
import zipfile
from collections.abc import Callable, Iterator

import pytest

from loader.formats import BatchSplitter, FilePlan, LoadOptions, detect_format, inspect_format
from loader.formats.containers import zip_directory
from loader.formats.containers.byte_ranges import RangedFile
from loader.formats.containers.decompress import zstd
from loader.formats.containers.zip_directory import DirectoryRanges, read_directory
from shared.platform.errors import FileFormatError
from tests.unit.formats.archives import delete_member, make_zip
from tests.unit.formats.loading import cut, load_bytes

HEAD = b"region,origin,destination,started_at,note\n"
GOOD = b"Turin,POINT (7.6 45.0),POINT (7.7 45.1),2018-05-28 09:03:40,fine\n"
EMPTY_GZIP = gzip.compress(b"")
EMPTY_ZSTD = zstd.compress(b"")
EMPTY_DEFLATED = b"\x03\x00"


@pytest.fixture(autouse=True, scope="module")
def compiled() -> None:
    """Compile the kernels, which would count as a file's time."""
    load_bytes(HEAD + GOOD)


def refuse(data: bytes) -> FileFormatError:
    with pytest.raises(FileFormatError) as caught:
        load_bytes(data)
    return caught.value


@pytest.mark.parametrize("data", [EMPTY_GZIP * 400_000, EMPTY_ZSTD * 900_000], ids=["gzip", "zstd"])
@pytest.mark.parametrize("chunk_bytes", [2**16, 2**23])
def test_eight_megabytes_of_empty_members_are_refused_soon(data: bytes, chunk_bytes: int) -> None:
    packer = gzip.compress if data.startswith(EMPTY_GZIP) else zstd.compress
    begin = time.process_time()
    with pytest.raises(FileFormatError) as caught:
        inspect_format(data[: 2**23], file_name="file", options=LoadOptions(), is_whole=True)
    assert caught.value.error_code == "too_many_members"
    plan = detect_format(packer(HEAD + GOOD), file_name="file", options=LoadOptions(), is_whole=True)
    with pytest.raises(FileFormatError) as caught:
        list(BatchSplitter(plan).split(cut(packer(HEAD + GOOD) + data, chunk_bytes)))
    assert caught.value.error_code == "too_many_members"
    assert time.process_time() - begin < 5


@pytest.mark.parametrize("packer", [gzip.compress, zstd.compress], ids=["gzip", "zstd"])
@pytest.mark.parametrize("chunk_bytes", [7, 2**23])
def test_members_that_follow_each_other_are_one_file(packer: Callable[[bytes], bytes], chunk_bytes: int) -> None:
    data = packer(HEAD + GOOD * 3) + packer(b"") * 50 + packer(GOOD * 4) + packer(GOOD)
    assert load_bytes(data, chunk_bytes=chunk_bytes).trips.height == 8


def test_block_gzip_has_as_many_members_as_it_needs() -> None:
    # Text that hardly packs, in blocks as bgzip makes them: more members than are free, none of them tiny.
    block = HEAD + random.Random(1).randbytes(1_500).hex().encode() + b"\n"
    packed = gzip.compress(block)
    assert len(packed) > 1_024
    splitter = BatchSplitter(FilePlan(compression="gzip"))
    assert sum(piece.bytes for piece, _ in splitter.split(cut(packed * 12_000, 2**22))) == 12_000 * len(block)


def make_local_headers(count: int) -> Iterator[bytes]:
    """Make empty members and no directory."""
    for number in range(count):
        name = b"%06d.csv" % number
        yield (
            b"PK\x03\x04"
            + bytes.fromhex("14000000080000000000")
            + bytes(4)
            + b"\x02\0\0\0"
            + bytes(4)
            + len(name).to_bytes(2, "little")
            + bytes(2)
            + name
            + EMPTY_DEFLATED
        )


@pytest.mark.parametrize("chunk_bytes", [2**16, 2**23])
def test_a_zip_of_twenty_thousand_members_is_refused_soon(chunk_bytes: int) -> None:
    archive = make_zip({f"{number:06}.csv": b"" for number in range(20_000)})
    begin = time.process_time()
    for data in (archive, b"".join(make_local_headers(20_000))):
        with pytest.raises(FileFormatError) as caught:
            list(BatchSplitter(FilePlan(compression="zip")).split(cut(data, chunk_bytes)))
        assert caught.value.error_code == "too_many_members"
    with pytest.raises(FileFormatError) as caught:
        inspect_format(archive, file_name="file", options=LoadOptions(), is_whole=True)
    assert caught.value.error_code == "too_many_members"
    assert time.process_time() - begin < 5


def test_a_directory_is_read_within_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    data = make_zip({f"{'x' * 200}{number:06}.csv": b"" for number in range(2_000)})
    reads = []

    def read_range(offset: int, length: int) -> bytes:
        reads.append(length)
        return data[offset : offset + length]

    assert len(read_directory(RangedFile(DirectoryRanges(len(data), read_range)))) == 2_000
    assert len(reads) <= 3
    monkeypatch.setattr(zip_directory, "DIRECTORY_LIMIT_BYTES", 100_000)
    with pytest.raises(FileFormatError) as caught:
        read_directory(RangedFile(DirectoryRanges(len(data), read_range)))
    assert caught.value.error_code == "too_many_members"


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
@pytest.mark.parametrize("deleted", ["1.csv", "2.csv", "3.csv"])
def test_a_member_that_was_deleted_is_not_loaded(method: int, deleted: str) -> None:
    texts = {f"{number}.csv": HEAD + GOOD * number for number in (1, 2, 3)}
    archive = delete_member(make_zip(texts, method=method), deleted)
    kept = 6 - int(deleted[0])
    members = read_directory(io.BytesIO(archive))
    plan = detect_format(archive, file_name="file", options=LoadOptions(), is_whole=True)
    pieces = [piece for piece, _ in BatchSplitter(plan).split(cut(archive, 100), members=members)]
    assert sum(piece.bytes for piece in pieces) == 2 * len(HEAD) + kept * len(GOOD)
    assert deleted not in [piece.member for piece in pieces]
    # Who reads the local headers alone notices at the end.
    error = refuse(archive)
    assert error.error_code == "damaged_archive"
    assert "deleted" in error.message


def write_streamed(texts: dict[str, bytes], method: int) -> bytes:
    """Write a zip to a pipe: sizes and checksums stand behind each member."""

    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.data = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data: object) -> int:
            self.data += bytes(data)  # type: ignore[call-overload]
            return len(bytes(data))  # type: ignore[call-overload]

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", method) as archive:
        for name, data in texts.items():
            archive.writestr(name, data)
    return bytes(pipe.data)


def test_a_member_without_its_size_needs_the_directory() -> None:
    archive = write_streamed({"1.csv": HEAD + GOOD, "2.csv": HEAD + GOOD * 2}, zipfile.ZIP_STORED)
    plan = detect_format(archive, file_name="file", options=LoadOptions(), is_whole=True)
    splitter = BatchSplitter(plan)
    assert len(list(splitter.split([archive], members=read_directory(io.BytesIO(archive))))) == 2
    with pytest.raises(FileFormatError, match="as a stream"):
        list(BatchSplitter(plan).split([archive]))
    deflated = write_streamed({"1.csv": HEAD + GOOD, "2.csv": HEAD + GOOD * 2}, zipfile.ZIP_DEFLATED)
    assert load_bytes(deflated).trips.height == 3


def test_members_that_lie_in_each_other_are_damage() -> None:
    archive = bytearray(make_zip({"1.csv": HEAD + GOOD * 50, "2.csv": HEAD + GOOD * 50}))
    entry = archive.rindex(b"PK\x01\x02")
    archive[entry + 42 : entry + 46] = (4).to_bytes(4, "little")
    with pytest.raises(FileFormatError) as caught:
        list(BatchSplitter(FilePlan(compression="zip")).split([bytes(archive)], members=read_directory(io.BytesIO(archive))))
    assert caught.value.error_code == "damaged_archive"


@pytest.mark.parametrize("end", [-1, -10, -30, -100])
def test_an_archive_without_its_end_was_cut_off(end: int) -> None:
    archive = make_zip({"1.csv": HEAD + GOOD, "2.csv": HEAD + GOOD})
    assert refuse(archive[:end]).error_code in ("truncated_archive", "damaged_archive")
    assert refuse(make_zip({})).error_code == "empty_archive"


def test_extra_fields_of_a_header_are_read_once() -> None:
    extra = b"\x99\x99\0\0" * 16_000
    header = b"PK\x03\x04" + bytes.fromhex("14000000000000000000") + bytes(12) + b"\x05\0" + len(extra).to_bytes(2, "little")
    begin = time.process_time()
    with pytest.raises(FileFormatError):
        list(BatchSplitter(FilePlan(compression="zip")).split(cut((header + b"1.csv" + extra) * 130, 2**20)))
    assert time.process_time() - begin < 5


@pytest.mark.parametrize("columns", [2_001, 20_000, 200_000])
def test_too_many_columns_are_refused_soon(columns: int) -> None:
    header = b",".join([b"start_lng,start_lat,end_lng,end_lat,started_at", *[b"c"] * (columns - 5)])
    begin = time.process_time()
    error = refuse(header + b"\n" + b",".join([b"1.5"] * columns) + b"\n")
    assert time.process_time() - begin < 3
    assert error.error_code == "too_many_columns"
    assert f"{columns:,} columns" in error.message


def test_a_long_line_of_another_delimiter_is_no_wide_table() -> None:
    route = b"[" + b"[7.6,45.0]," * 3_000 + b"[7.7,45.1]]"
    data = b"route;started_at\n" + b"%b;2018-05-28 09:03:40\n" % route * 3
    assert load_bytes(data).trips.height == 3
