"""Make zip archives for tests, sound ones and hostile ones."""

import io
import tarfile
import zipfile
from collections.abc import Mapping

_DIRECTORY_ENTRY = b"PK\x01\x02"


def make_zip(members: Mapping[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Pack members in order."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def delete_member(archive: bytes, name: str) -> bytes:
    """Take a member out of the directory; its local header and its data stay, as with tools that only rewrite the end."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        infos, begin = opened.infolist(), opened.start_dir
    entries = archive[begin:].split(_DIRECTORY_ENTRY)[1:]
    end = entries[-1].index(b"PK\x05\x06")
    kept = [entry for entry, info in zip([*entries[:-1], entries[-1][:end]], infos, strict=True) if info.filename != name]
    directory = b"".join(_DIRECTORY_ENTRY + entry for entry in kept)
    count = len(kept).to_bytes(2, "little")
    size, at = len(directory).to_bytes(4, "little"), begin.to_bytes(4, "little")
    return archive[:begin] + directory + b"PK\x05\x06" + bytes(4) + count * 2 + size + at + bytes(2)


def make_tar(members: Mapping[str, bytes], *, form: int = tarfile.PAX_FORMAT) -> bytes:
    """Pack members in order, as a plain tar archive."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()
