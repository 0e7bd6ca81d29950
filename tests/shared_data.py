"""Where the shared trip files are; tests that need them are skipped at home where the folder is absent, and fail in CI."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

SHARED_DIR = Path(os.environ.get("TRIPDECK_TEST_SHARED", Path(__file__).resolve().parents[2] / "shared")) / "data"
CHALLENGE_FILE = SHARED_DIR / "challenge" / "trips.csv"
IS_CI = os.environ.get("CI") == "true"

requires_shared = pytest.mark.skipif(not SHARED_DIR.is_dir() and not IS_CI, reason=f"no shared trip files at {SHARED_DIR}")


def read_expected(folder: str) -> dict[str, Any]:
    """Read expected.json of `challenge` or `real`."""
    expected: dict[str, Any] = json.loads((SHARED_DIR / folder / "expected.json").read_text(encoding="utf-8"))
    return expected
