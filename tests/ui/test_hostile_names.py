"""Pages that show names which would be markup, links, formulas or controls."""

import re
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from loader.pipeline.context import Context
from tests.hostile_names import LOADABLE_NAMES, assert_safe, write_hostile_csv
from tests.loading import load_bytes
from tests.ui.conftest import OpenPage
from ui.style.text import escape_markdown

# What Streamlit's Markdown would make something of, where no backslash stands before it.
_MARKUP = re.compile(r"(?<!\\)(?:\]\(|javascript:|<img|<script|\$a|``|:red\[|:material/delete)")


@pytest.fixture
def loads(context: Context) -> list[dict[str, Any]]:
    names = [f"{name[:200]}.csv" for name in LOADABLE_NAMES.values()]
    bad = [
        load_bytes(context, write_hostile_csv(is_good=False) + bytes([10] * n), file_name=name)
        for n, name in enumerate(names[:3])
    ]
    return [load_bytes(context, write_hostile_csv(), file_name=" ".join(names)[:255]), *bad]


def list_markdown(app: AppTest) -> list[str]:
    """All that a page hands to the browser as Markdown."""
    kinds = (app.caption, app.markdown, app.info, app.warning, app.error, app.subheader)
    labels = [element.label for kind in (app.button, app.selectbox, app.radio, app.metric) for element in kind]
    return [element.value for kind in kinds for element in kind] + labels


def assert_plain(app: AppTest) -> None:
    for text in list_markdown(app):
        assert _MARKUP.search(text) is None, text
        assert_safe(text.replace("\n", ""))


@pytest.mark.parametrize("kind", LOADABLE_NAMES)
def test_a_name_is_text_to_markdown(kind: str) -> None:
    text = escape_markdown(LOADABLE_NAMES[kind])
    assert _MARKUP.search(text) is None
    assert_safe(text)
    assert "\n" not in text


def test_explore_shows_names_as_text(open_page: OpenPage, loads: list[dict[str, Any]]) -> None:
    for kind in ("link", "math", "escape", "override"):
        app = open_page("explore", region=LOADABLE_NAMES[kind])
        assert_plain(app)
        assert any("1 trip" in text for text in list_markdown(app)), kind
        for option in app.selectbox[0].options:
            assert_safe(option)
    assert loads


def test_a_region_that_is_not_there_is_named_as_text(open_page: OpenPage, loads: list[dict[str, Any]]) -> None:
    app = open_page("explore", region="[x](javascript:alert(1))\x1b$b$")
    assert_plain(app)
    assert loads


def test_loads_show_names_as_text(open_page: OpenPage, loads: list[dict[str, Any]]) -> None:
    for load in loads:
        app = open_page("loads", load=str(load["load_id"]))
        assert_plain(app)
        rejects = app.dataframe[-1].value if load["rows_rejected"] else None
        if rejects is not None:
            assert_safe("".join(str(value) for value in rejects.to_numpy().ravel()))
