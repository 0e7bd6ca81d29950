"""Manifest: what a published folder holds. It is written last: a folder without one is not published.

The same load gives the same manifest to the byte.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

import pyarrow as pa

from loader.publishing.file_writer import PublishedFile
from loader.publishing.geoparquet import SCHEMA

MANIFEST_NAME: Final = "manifest.json"
_FORMAT: Final = "tripdeck-publication"
_VERSION: Final = 1


def make_manifest(load_id: int, files: Sequence[PublishedFile]) -> dict[str, Any]:
    """Return the manifest of a load's files, in their order."""
    return {
        "format": _FORMAT,
        "version": _VERSION,
        "load_id": load_id,
        "rows": sum(file.rows for file in files),
        "bytes": sum(file.bytes for file in files),
        "first_at": files[0].first_at if files else None,
        "last_at": files[-1].last_at if files else None,
        "columns": [{"name": field.name, "type": _name_type(field.type), "nullable": field.nullable} for field in SCHEMA],
        "files": [asdict(file) for file in files],
    }


def encode_manifest(manifest: dict[str, Any]) -> bytes:
    """Return a manifest as the bytes of its object."""
    return json.dumps(manifest, indent=1).encode() + b"\n"


def _name_type(kind: pa.DataType) -> str:
    return str(kind)
