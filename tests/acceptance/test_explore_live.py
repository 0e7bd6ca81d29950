"""The number moves with the box: while it is drawn, moved and resized with mouse, finger and keys, and with the hub away."""

import re
from urllib.parse import parse_qs, urlencode

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.acceptance.component_page import chromium, watch
from tests.acceptance.explore_page import loaded, open_explore, read_address
from tests.acceptance.site import OpenTab, Site, Watch, hub_settings, open_tab, see_number, site, site_settings

__all__ = ["chromium", "hub_settings", "loaded", "open_tab", "site", "site_settings", "watch"]

pytestmark = pytest.mark.browser

_TURIN = "region=Turin&end=either"


def place(page: Page, across: float, down: float) -> tuple[float, float]:
    ground = page.locator(".td-host").bounding_box()
    assert ground is not None
    return ground["x"] + ground["width"] * across, ground["y"] + ground["height"] * down


def check_label(site: Site, page: Page) -> int:
    """The label says what the API says of the area where the box is now, under the page's filters."""
    label = page.locator(".td-area-label")
    expect(label).to_have_attribute("data-state", "counted")
    [bbox] = parse_qs(label.get_attribute("data-area") or "")["bbox"]
    asked = {name: value for name, value in read_address(page).items() if name != "bbox"} | {"bbox": bbox}
    if "hours" in asked:
        asked["hour_from"], asked["hour_to"] = asked.pop("hours").split("-")
    answer = site.hub.get(f"/api/v1/weekly-average?{urlencode(asked)}").json()
    plural = "trip" if answer["trips"] == 1 else "trips"
    expect(label).to_contain_text(f"{answer['weekly_average']:.1f} a week · {answer['trips']} {plural}")
    return int(answer["trips"])


def wait_for_move(page: Page, label: Locator, before: str | None) -> str | None:
    expect(label).not_to_have_attribute("data-area", before or "")
    return label.get_attribute("data-area")


def test_the_label_counts_before_the_box_is_let_go(loaded: Site, open_tab: OpenTab) -> None:
    page = open_tab()
    open_explore(page, f"{loaded.url}/?{_TURIN}&weekdays=1-6&hours=4-23")
    label = page.locator(".td-area-label")
    expect(label).to_be_hidden()
    trips = see_number(page, "Trips").inner_text()

    page.get_by_role("button", name="Draw box").click()
    page.mouse.move(*place(page, 0.3, 0.3))
    page.mouse.down()
    page.mouse.move(*place(page, 0.5, 0.5), steps=5)
    small = check_label(loaded, page)
    page.mouse.move(*place(page, 0.8, 0.9), steps=5)
    large = check_label(loaded, page)
    assert 0 < small < large
    assert see_number(page, "Trips").inner_text() == trips
    assert "bbox" not in read_address(page)
    page.mouse.up()
    expect(see_number(page, "Trips")).to_have_text(str(large))
    assert check_label(loaded, page) == large

    page.mouse.move(*place(page, 0.55, 0.6))
    page.mouse.down()
    page.mouse.move(*place(page, 0.75, 0.8), steps=5)
    moved = check_label(loaded, page)
    assert moved != large
    page.keyboard.press("Escape")
    page.mouse.up()
    expect(label).to_contain_text(f"{large} trips")

    page.get_by_role("radio", name="Both").click()
    page.wait_for_url("**end=both*")
    expect(see_number(page, "Trips")).not_to_have_text(str(large))
    assert check_label(loaded, page) < large


def test_the_label_counts_with_keys_and_fingers(loaded: Site, open_tab: OpenTab) -> None:
    page = open_tab()
    open_explore(page, f"{loaded.url}/?{_TURIN}&bbox=7.6,45,7.7,45.1")
    label = page.locator(".td-area-label")
    check_label(loaded, page)
    area = label.get_attribute("data-area")
    page.locator(".td-box").focus()
    for _ in range(6):
        page.keyboard.press("ArrowRight")
    area = wait_for_move(page, label, area)
    check_label(loaded, page)
    page.locator("[data-handle=ne]").focus()
    page.keyboard.press("ArrowUp")
    area = wait_for_move(page, label, area)
    trips = check_label(loaded, page)
    expect(see_number(page, "Trips")).to_have_text(str(trips))

    finger = page.context.new_cdp_session(page)
    page.get_by_role("button", name="Draw box").click()
    for kind, across, down in (("Start", 0.2, 0.2), ("Move", 0.4, 0.45), ("Move", 0.7, 0.75)):
        x, y = place(page, across, down)
        finger.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": [{"x": x, "y": y}]})
    wait_for_move(page, label, area)
    touched = check_label(loaded, page)
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(see_number(page, "Trips")).to_have_text(str(touched))


def test_the_label_says_that_the_hub_is_away_and_recovers(loaded: Site, open_tab: OpenTab, watch: Watch) -> None:
    watch.tolerated = ("ERR_FAILED", "ERR_CONNECTION_REFUSED")
    page = open_tab()
    open_explore(page, f"{loaded.url}/?{_TURIN}&bbox=7.6,45,7.7,45.1")
    check_label(loaded, page)
    away = re.compile("/api/v1/weekly-average")

    def refuse(route: Route) -> None:
        route.abort("connectionrefused")

    page.route(away, refuse)
    page.locator(".td-box").focus()
    page.keyboard.press("ArrowRight")
    label = page.locator(".td-area-label")
    expect(label).to_contain_text("no answer, trying again")
    page.unroute(away, refuse)
    check_label(loaded, page)
