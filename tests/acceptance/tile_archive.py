"""A small PMTiles archive (version 3) of one vector tile, and a server that gives ranges of it to any page.

Sources: the PMTiles specification, version 3; the Mapbox Vector Tile specification, version 2.
"""

import gzip
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

_EXTENT: Final = 4096
_POLYGON: Final = 3
_LINE: Final = 2
_MVT, _NO_COMPRESSION, _GZIP = 1, 1, 2


def make_archive() -> bytes:
    """One tile of the whole Earth: its northern half is water, a road runs along the equator."""
    north = [(0, 0), (_EXTENT, 0), (_EXTENT, _EXTENT // 2), (0, _EXTENT // 2)]
    tile = _field(3, _make_layer("water", _POLYGON, north)) + _field(3, _make_layer("roads", _LINE, north[2:]))
    directory = _varint(1) + _varint(0) + _varint(1) + _varint(len(tile)) + _varint(1)  # entries, id, run, length, offset + 1
    layers = [{"id": name, "fields": {}} for name in ("roads", "water")]
    directory, metadata = gzip.compress(directory), gzip.compress(json.dumps({"vector_layers": layers}).encode())
    at = 127
    header = b"PMTiles\x03"
    for length in (len(directory), len(metadata), 0, len(tile)):  # root directory, metadata, leaves, tiles
        header += at.to_bytes(8, "little") + length.to_bytes(8, "little")
        at += length
    header += (1).to_bytes(8, "little") * 3  # addressed tiles, entries, contents
    header += bytes([1, _GZIP, _NO_COMPRESSION, _MVT, 0, 0])  # clustered, compressions, type, zooms
    bounds = (-180.0, -85.0, 180.0, 85.0)
    header += b"".join(round(edge * 1e7).to_bytes(4, "little", signed=True) for edge in bounds)
    header += b"\x00" + bytes(8)  # zoom and point of the first view
    return header + directory + metadata + tile


@contextmanager
def serve_archive(content: bytes) -> Iterator[tuple[str, list[str]]]:
    """Serve the archive on a port of its own. Gives its URL and the list of ranges that were asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_OPTIONS(self) -> None:
            self._answer(204, b"")

        def do_GET(self) -> None:
            wanted = self.headers["Range"]
            asked.append(wanted)
            first, last = wanted.removeprefix("bytes=").split("-")
            self._answer(206, content[int(first) : int(last) + 1], **{"Content-Range": f"bytes {first}-{last}/{len(content)}"})

        def _answer(self, status: int, body: bytes, **headers: str) -> None:
            self.send_response(status)
            allowed = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "*"}
            for name, value in {**allowed, **headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/earth.pmtiles", asked
    finally:
        server.shutdown()
        server.server_close()


def _make_layer(name: str, kind: int, points: Sequence[tuple[int, int]]) -> bytes:
    geometry = b"".join(map(_varint, _list_commands(kind, points)))
    feature = b"\x18" + _varint(kind) + _field(4, geometry)
    return b"\x78\x02" + _field(1, name.encode()) + _field(2, feature) + b"\x28" + _varint(_EXTENT)


def _list_commands(kind: int, points: Sequence[tuple[int, int]]) -> list[int]:
    """Move to the first point, lines to the others, and back to the first of a polygon."""
    moves = [(x - before_x, y - before_y) for (x, y), (before_x, before_y) in zip(points, [(0, 0), *points], strict=False)]
    zigzags = [(value << 1) ^ (value >> 31) for move in moves for value in move]
    return [9, *zigzags[:2], len(points) - 1 << 3 | 2, *zigzags[2:], *([15] if kind == _POLYGON else [])]


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    found = b""
    while value >= 128:
        found += bytes([value & 127 | 128])
        value >>= 7
    return found + bytes([value])
