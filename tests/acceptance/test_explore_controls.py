"""Controls of Explore and its view: what is typed is kept, and what an older page still shows changes nothing."""

import pytest
from playwright.sync_api import Page, expect

from tests.acceptance.component_page import chromium, watch
from tests.acceptance.explore_page import LateAnswers, check_trips, loaded, open_explore, read_address, wait_for_rest
from tests.acceptance.site import OpenTab, Site, hub_settings, open_tab, see_number, site, site_settings

__all__ = ["chromium", "hub_settings", "loaded", "open_tab", "site", "site_settings", "watch"]

pytestmark = pytest.mark.browser

_EDGES = ("West °", "South °", "East °", "North °")
# Every control that shows a part of the view.
_FILTERS = {
    "region": "Turin",
    "datasource": "cheap_mobile",
    "bbox": "7.5,45,7.7,45.1",
    "end": "either",
    "from": "2018-05-07",
    "to": "2018-05-27",
    "hours": "2-22",
    "weekdays": "1-6",
    "compare_from": "2018-04-30",
    "compare_to": "2018-05-20",
    "precision": "6",
}


@pytest.mark.parametrize("is_answered", [True, False], ids=["answered", "asked"])
def test_a_gesture_of_an_older_page_changes_no_filter(loaded: Site, open_tab: OpenTab, *, is_answered: bool) -> None:
    """Answered: the page had been drawn anew, but the browser had not heard of it. Asked: it was still being drawn."""
    page = open_tab()
    late = LateAnswers(page)
    open_explore(page, f"{loaded.url}/?{'&'.join(f'{name}={value}' for name, value in _FILTERS.items())}")
    assert read_address(page) == _FILTERS

    def step(button: str) -> None:
        late.hold()
        page.get_by_role("button", name=button).click()
        if is_answered:
            late.wait_for_all()
        else:
            page.wait_for_timeout(300)
        page.get_by_role("button", name="Zoom in").click()
        late.wait_for_all()
        late.send()
        wait_for_rest(page)

    step("Drop all filters")
    page.wait_for_function("() => location.search === ''")
    expect(see_number(page, "Trips")).to_have_text("100")
    step("Undo the last filter")
    page.wait_for_url("**region=Turin*")
    assert read_address(page) == _FILTERS
    expect(see_number(page, "Trips a week, on average")).to_be_visible()


def type_edge(page: Page, label: str, value: str) -> None:
    page.get_by_label(label).fill(value)
    page.get_by_label(label).press("Enter")


def read_edges(page: Page) -> list[str]:
    return [page.get_by_label(label).input_value() for label in _EDGES]


def test_a_box_is_typed_edge_by_edge(loaded: Site, open_tab: OpenTab) -> None:
    page = open_tab()
    open_explore(page, loaded.url)
    for label, value in zip(_EDGES, ("7.6", "45.2", "7.7", "45.1"), strict=True):
        type_edge(page, label, value)
        wait_for_rest(page)
    expect(page.get_by_text("south must not lie north")).to_be_visible()
    assert read_edges(page) == ["7.60000", "45.20000", "7.70000", "45.10000"]
    assert read_address(page) == {}

    type_edge(page, "South °", "45")
    page.wait_for_url("**bbox=*")
    assert read_address(page) == {"bbox": "7.6,45,7.7,45.1"}
    assert 0 < check_trips(loaded, page) < 100

    type_edge(page, "East °", "")
    page.get_by_role("button", name="Clear area").first.click()
    page.wait_for_function("() => location.search === ''")
    wait_for_rest(page)
    assert read_edges(page) == [""] * 4
    page.get_by_role("button", name="Undo the last filter").click()
    page.wait_for_url("**bbox=*")
    wait_for_rest(page)
    assert read_edges(page) == ["7.60000", "45.00000", "7.70000", "45.10000"]


def test_hours_that_end_where_they_begin_are_not_taken(loaded: Site, open_tab: OpenTab) -> None:
    page = open_tab()
    open_explore(page, f"{loaded.url}/?hours=6-12")
    page.get_by_role("combobox", name="To hour").click()
    page.get_by_role("option", name="06:00").click()
    wait_for_rest(page)
    expect(page.get_by_role("combobox", name="To hour")).to_have_value("12:00")
    assert read_address(page) == {"hours": "6-12"}
