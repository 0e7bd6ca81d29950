"""Text for terminals, log lines and spreadsheets."""

import logging
import sys

import pytest

from shared.platform.logs import make_formatter
from shared.platform.safe_text import escape_controls, guard_formula, shorten
from tests.hostile_names import HOSTILE_NAMES, assert_safe


@pytest.mark.parametrize("kind", HOSTILE_NAMES)
def test_escaped_text_is_safe_and_can_be_told_from_others(kind: str) -> None:
    escaped = escape_controls(HOSTILE_NAMES[kind])
    assert_safe(escaped)
    assert "\n" not in escaped
    assert len({escape_controls(name) for name in HOSTILE_NAMES.values()}) == len(HOSTILE_NAMES)


@pytest.mark.parametrize(
    "text", ["Zürich", "東京", "\u0645\u06cc\u200c\u062e\u0648", "👩\u200d🚀", "a b\u00a0c", "\\x1b", "São\u202fPaulo"]
)
def test_letters_of_all_scripts_stay(text: str) -> None:
    assert escape_controls(text) == text


def test_kept_signs_stay() -> None:
    assert escape_controls("a\tb\nc\x1b", kept="\t\n") == "a\tb\nc\\x1b"


def test_short_text_is_left_alone() -> None:
    assert (shorten("abc", 3), shorten("abcd", 3)) == ("abc", "ab…")


@pytest.mark.parametrize(
    "text",
    ["=1+1", "@a", "+a", "-a", "\ta", "\ra", "\na", "\x00=a", "-1\n=1", "+1+1", "\uff1d1", "\uff20a", "-", "-cmd|' /C calc'!A0"],
)
def test_formulas_get_a_quote(text: str) -> None:
    assert guard_formula(text) == f"'{text}"


@pytest.mark.parametrize("value", ["-7.67", "+420", "-7,67", "1=1", "a@b", "", 5, -5, None, True])
def test_numbers_and_text_stay(value: object) -> None:
    assert guard_formula(value) is value


@pytest.mark.parametrize("kind", HOSTILE_NAMES)
@pytest.mark.parametrize("form", ["text", "json"])
def test_a_log_line_stays_one_line(kind: str, form: str) -> None:
    name = HOSTILE_NAMES[kind]
    record = logging.LogRecord("tripdeck", logging.INFO, "", 0, "took %s", (name,), None)
    record.file_name = name
    line = make_formatter(form).format(record)
    assert_safe(line)
    assert "\n" not in line


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_line_of_an_error_passes_for_a_log_line(form: str) -> None:
    try:
        raise ValueError("bad\n2026-01-01 00:00:00,000 INFO    loader: all is well\x1b[2J")
    except ValueError:
        record = logging.LogRecord("tripdeck", logging.ERROR, "", 0, "failed", (), sys.exc_info())
    first, *rest = make_formatter(form).format(record).split("\n")
    assert "failed" in first
    assert all(line.startswith("    ") for line in rest)
    assert_safe("\n".join([first, *rest]))
