"""docs/file-formats.md names every reason, warning, role and error there is."""

import re
from pathlib import Path

import pytest

from loader.formats.model.options import ROLES
from loader.formats.model.reject_reasons import Reason, TripWarning
from loader.formats.vocabulary.table import render_vocabulary

ROOT = Path(__file__).resolve().parents[3]
DOCUMENT = (ROOT / "docs" / "file-formats.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("word", [*Reason, *TripWarning, *ROLES])
def test_every_code_and_role_is_documented(word: str) -> None:
    assert f"`{word}`" in DOCUMENT


def test_every_error_code_is_documented() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "loader" / "formats").rglob("*.py"))
    codes = set(re.findall(r'code="(\w+)"', sources)) - {"needs_whole_file"}
    assert len(codes) > 10
    assert [code for code in sorted(codes) if f"`{code}`" not in DOCUMENT] == []


def test_the_vocabulary_is_that_of_the_code() -> None:
    """`python -m loader.formats.vocabulary.table` prints what belongs between the marks."""
    written = DOCUMENT.partition("<!-- vocabulary -->\n")[2].partition("<!-- /vocabulary -->")[0]
    assert written == render_vocabulary()
