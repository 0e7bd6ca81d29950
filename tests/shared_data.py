"""Where trip files of tests are: the challenge's beside the tests, many others in a folder that a fork hasn't.

Tests of that folder are skipped where it is absent. CI fails without it, unless TRIPDECK_TEST_SHARED=none says that it is meant.
"""

import json
import os
from pathlib import Path
from typing import Any, Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[1]
DATA_DIR: Final = ROOT / "tests" / "data"
CHALLENGE_FILE: Final = DATA_DIR / "challenge" / "trips.csv"
NONE: Final = "none"
SHARED: Final = os.environ.get("TRIPDECK_TEST_SHARED", str(ROOT.parent / "shared"))
SHARED_DIR: Final = Path(SHARED) / "data"
HAS_SHARED: Final = SHARED != NONE and SHARED_DIR.is_dir()

if os.environ.get("CI") == "true" and not HAS_SHARED and SHARED != NONE:
    raise FileNotFoundError(f"No shared trip files at {SHARED_DIR}; TRIPDECK_TEST_SHARED={NONE} tests without them.")

requires_shared = pytest.mark.skipif(not HAS_SHARED, reason=f"no shared trip files at {SHARED_DIR}")


def read_challenge_expected() -> dict[str, Any]:
    """Read what is known of the challenge's file: rows, weeks, regions, boxes."""
    expected: dict[str, Any] = json.loads((CHALLENGE_FILE.parent / "expected.json").read_text(encoding="utf-8"))["trips.csv"]
    return expected


def read_expected(folder: str) -> dict[str, Any]:
    """Read expected.json of a shared folder, `kinds` or `real`."""
    expected: dict[str, Any] = json.loads((SHARED_DIR / folder / "expected.json").read_text(encoding="utf-8"))
    return expected
