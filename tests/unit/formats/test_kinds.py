"""Small files in the shapes that analysts have: each loads with its right outcome or is refused clearly."""

from typing import Any

import pytest

from tests.shared_data import HAS_SHARED, requires_shared
from tests.unit.formats.kinds import RIGHT, judge, read_cases

pytestmark = requires_shared

CASES: dict[str, dict[str, Any]] = read_cases() if HAS_SHARED else {}


@pytest.mark.parametrize("key", CASES)
def test_no_kind_of_file_is_silently_wrong(key: str) -> None:
    verdict, why = judge(CASES[key])
    assert verdict in RIGHT, f"{CASES[key]['kind']}: {why}"
