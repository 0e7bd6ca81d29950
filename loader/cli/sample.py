"""Which bytes of a file the hub has to see to say what it holds."""

from typing import TYPE_CHECKING, BinaryIO, Final

from loader.cli.files import LocalFile

if TYPE_CHECKING:
    from loader.cli.client import HubClient, Json, Params

# As much as the hub looks at.
_SAMPLE_BYTES: Final = 8 * 2**20
_MAGIC: Final = b"PAR1"
_ROOM_BYTES: Final = 2**16

Part = tuple[int, int]


def inspect_file(client: "HubClient", file: LocalFile, *, params: "Params") -> "Json":
    """Have a file inspected: by its beginning, or where it is a large Parquet file by its end and then by its first rows.

    Raises: RequestError, FileFormatError as the hub answers.
    """
    with file.open() as stream:
        sample = stream.read(_SAMPLE_BYTES)
        is_whole = not stream.read(1)
        params = {**params, "file_name": file.name}
        parts = _find_ends(stream, file.size) if not is_whole and file.size and sample.startswith(_MAGIC) else None
        if not parts or not file.size:
            return client.post("/api/v1/inspect", body=sample, params={**params, "is_whole": is_whole})
        params["bytes"] = file.size
        answer = _ask_parts(client, stream, parts, params=params)
        if answer["wanted"]:
            answer = _ask_parts(client, stream, [parts[0], *map(tuple, answer["wanted"]), parts[1]], params=params)
        return answer


def _find_ends(stream: BinaryIO, size: int) -> list[Part] | None:
    """Find the beginning and the footer; None where that is more than the hub looks at."""
    stream.seek(size - 8)
    length = int.from_bytes(stream.read(4), "little") + 8
    return [(0, len(_MAGIC)), (size - length, length)] if length < min(_SAMPLE_BYTES - _ROOM_BYTES, size) else None


def _ask_parts(client: "HubClient", stream: BinaryIO, parts: list[Part], *, params: "Params") -> "Json":
    body = b"".join(_read(stream, part) for part in parts)
    return client.post("/api/v1/inspect", body=body, params={**params, "part": [f"{at}:{length}" for at, length in parts]})


def _read(stream: BinaryIO, part: Part) -> bytes:
    stream.seek(part[0])
    return stream.read(part[1])
