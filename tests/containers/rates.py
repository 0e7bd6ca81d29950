"""How fast a load went, by the hub's own times."""

import json
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

LONGEST_S = 300.0
_ENDED = ("succeeded", "failed", "cancelled")


def wait_for_load(get: Callable[[str], Any], load_id: int) -> dict[str, Any]:
    """Wait for the end of a load; returns it. get: asks the hub. Raises: TimeoutError."""
    deadline = time.monotonic() + LONGEST_S
    while time.monotonic() < deadline:
        load: dict[str, Any] = json.loads(get(f"/api/v1/loads/{load_id}").data)
        if load["state"] in _ENDED:
            return load
        time.sleep(0.5)
    raise TimeoutError(f"load {load_id} has not ended after {LONGEST_S} s")


def measure_rate(load: dict[str, Any]) -> float:
    """Rows per second from the request to the end."""
    took = datetime.fromisoformat(load["finished_at"]) - datetime.fromisoformat(load["requested_at"])
    return float(load["rows_loaded"] / took.total_seconds())
