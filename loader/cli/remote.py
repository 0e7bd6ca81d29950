"""Addresses in place of files: the hub has workers read them, and nothing passes through this machine."""

import json
import sys
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from shared.platform.errors import FileFormatError
from shared.platform.safe_text import escape_controls

if TYPE_CHECKING:
    from loader.cli.client import HubClient, Json

_SCHEMES: Final = ("s3://", "https://", "http://")
_POLL_S: Final = 0.3
_PAGE: Final = 1_000


def is_address(text: str) -> bool:
    """Return whether an argument is an address rather than a file's name."""
    return text.lower().startswith(_SCHEMES)


def make_options(params: Mapping[str, Any]) -> "Json":
    """Return options of a load as JSON, from those of a query string."""
    given = {name: value for name, value in params.items() if value is not None and name != "map"}
    roles = dict(pair.split("=", 1) for pair in params.get("map") or () if "=" in pair)
    return {**given, **({"roles": roles} if roles else {})}


def post_source(client: "HubClient", address: str, *, params: Mapping[str, Any], **facts: object) -> "Json":
    """Add a source. Raises: RequestError."""
    body = {"address": address, "options": make_options(params), **facts}
    return client.post("/api/v1/sources", body=json.dumps(body).encode())


def read_address(client: "HubClient", address: str, *, params: Mapping[str, Any]) -> Iterator["Json"]:
    """Have an address read once; yields its objects in their order, each when its load was requested.

    Raises: FileFormatError when there is nothing, or after the last object when some could not be read.
    """
    source = post_source(client, address, params=params, is_watched=False, on_drift="load")
    path = f"/api/v1/sources/{source['source_id']}"
    after, failed, said = 0, list["Json"](), ""
    while True:
        source = client.get(path)
        for found in client.get(f"{path}/objects", after=after, limit=_PAGE)["objects"]:
            if found["state"] == "found":
                break
            after = found["source_object_id"]
            if found["load_id"]:
                yield found
            else:
                failed.append(found)
        else:
            if source["state"] == "ended" or source["state"] == "paused":
                break
        if source["error_message"] and source["error_message"] != said:
            said = source["error_message"]
            print(f"{escape_controls(said)} It is tried again; Ctrl-C leaves it to the workers.", file=sys.stderr)
        time.sleep(_POLL_S)
    if failed:
        more = f" ({len(failed):,} objects could not be read)" if len(failed) > 1 else ""
        raise FileFormatError(f"{failed[0]['key']}: {failed[0]['error_message']}{more}", code=failed[0]["error_code"])
    if not after:
        raise FileFormatError(
            source["error_message"] or f"There is no file at {address}.", code=source["error_code"] or "no_object"
        )
