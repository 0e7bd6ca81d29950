"""Shapes on the map of Explore: drawn, edited with mouse, finger and keys, restored, counted as by the hub."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from tests.acceptance.component_page import chromium, watch
from tests.acceptance.explore_page import loaded, open_explore, read_address
from tests.acceptance.site import OpenTab, Site, hub_settings, open_tab, save_picture, see_number, site, site_settings

__all__ = ["chromium", "hub_settings", "loaded", "open_tab", "site", "site_settings", "watch"]

pytestmark = pytest.mark.browser

_TURIN = "region=Turin&end=either"
_TRIANGLE = ((0.25, 0.25), (0.75, 0.3), (0.5, 0.85))
_VERTEX = ".td-shape-vertex[data-vertex='{}']"


def place(page: Page, across: float, down: float) -> tuple[float, float]:
    ground = page.locator(".td-host").bounding_box()
    assert ground is not None
    return ground["x"] + ground["width"] * across, ground["y"] + ground["height"] * down


def middle(page: Page, selector: str) -> tuple[float, float]:
    box = page.locator(selector).bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2, steps=3)
    page.mouse.move(*end, steps=3)
    page.mouse.up()


def draw_triangle(page: Page) -> None:
    page.get_by_role("button", name="Draw shape").click()
    for across, down in _TRIANGLE:
        page.mouse.click(*place(page, across, down))
    page.keyboard.press("Enter")


def read_rings(page: Page) -> Any:
    return json.loads(page.locator(".td-root").get_attribute("data-shape") or "null")


def wait_for_change(page: Page, before: Any) -> Any:
    expect(page.locator(".td-root")).not_to_have_attribute("data-shape", json.dumps(before, separators=(",", ":")))
    return read_rings(page)


def check_trips(site: Site, page: Page) -> int:
    """Page and label say what the hub says of the shape on the map, under the page's filters."""
    expect(page.locator(".td-area-label")).to_have_attribute("data-state", "counted")
    filters = {name: value for name, value in read_address(page).items() if name not in ("shape", "area")}
    rings = [[*ring, ring[0]] for ring in read_rings(page)]
    shape = {"type": "MultiPolygon", "coordinates": [[ring] for ring in rings]}
    answer = site.hub.post(f"/api/v1/weekly-average?{urlencode(filters)}", {"shape": shape}).json()
    expect(page.locator(".td-area-label")).to_contain_text(f"{answer['weekly_average']:.1f} a week · {answer['trips']} trip")
    expect(see_number(page, "Trips")).to_have_text(str(answer["trips"]))
    return int(answer["trips"])


def test_a_drawn_shape_is_counted_edited_and_cleared(loaded: Site, open_tab: OpenTab) -> None:
    page = open_tab()
    open_explore(page, f"{loaded.url}/?{_TURIN}")
    everywhere = see_number(page, "Trips").inner_text()
    draw_triangle(page)
    page.wait_for_url("**shape=BG*")
    rings = read_rings(page)
    assert [len(ring) for ring in rings] == [3]
    drawn = check_trips(loaded, page)
    assert 0 < drawn < int(everywhere)

    page.keyboard.press("Escape")  # nothing is drawn: nothing happens
    drag(page, middle(page, _VERTEX.format(0)), place(page, 0.1, 0.1))
    rings = wait_for_change(page, rings)
    check_trips(loaded, page)
    drag(page, middle(page, ".td-shape-middle[data-vertex='2']"), place(page, 0.2, 0.6))
    rings = wait_for_change(page, rings)
    assert len(rings[0]) == 4
    larger = check_trips(loaded, page)
    assert larger > drawn
    page.keyboard.press("Delete")
    rings = wait_for_change(page, rings)
    assert len(rings[0]) == 3

    drag(page, place(page, 0.45, 0.45), place(page, 0.5, 0.5))
    moved = wait_for_change(page, rings)
    assert moved[0][1][0] - rings[0][1][0] == pytest.approx(moved[0][0][0] - rings[0][0][0], abs=2e-6)
    check_trips(loaded, page)

    page.get_by_role("button", name="Clear area").first.click()
    expect(page.locator(".td-shape")).to_be_hidden()
    expect(see_number(page, "Trips")).to_have_text(everywhere)
    assert "shape" not in read_address(page)


def test_a_shape_is_restored_from_its_address_and_replaced_by_a_box(loaded: Site, open_tab: OpenTab) -> None:
    page = open_tab()
    open_explore(page, f"{loaded.url}/?{_TURIN}")
    draw_triangle(page)
    page.wait_for_url("**shape=BG*")
    rings, trips = read_rings(page), check_trips(loaded, page)
    again = open_tab("dark")
    open_explore(again, page.url)
    assert read_rings(again) == rings
    assert check_trips(loaded, again) == trips
    save_picture(again, "shape-dark")
    again.get_by_role("button", name="Draw box").click()
    drag(again, place(again, 0.3, 0.3), place(again, 0.6, 0.7))
    again.wait_for_url("**bbox=*")
    expect(again.locator(".td-shape")).to_be_hidden()
    assert "shape" not in read_address(again)
    save_picture(page, "shape-light")


def test_a_shape_is_drawn_and_edited_with_keys(loaded: Site, open_tab: OpenTab) -> None:
    page = open_tab()
    open_explore(page, f"{loaded.url}/?{_TURIN}")
    page.get_by_role("button", name="Draw shape").focus()
    page.keyboard.press("Enter")
    rings = wait_for_change(page, None)
    assert len(rings[0]) == 4
    expect(page.locator(_VERTEX.format(0))).to_be_focused()
    page.keyboard.press("PageDown")
    expect(page.locator(_VERTEX.format(1))).to_be_focused()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    rings = wait_for_change(page, rings)
    expect(page.locator(_VERTEX.format(1))).to_be_focused()
    page.keyboard.press("Insert")
    rings = wait_for_change(page, rings)
    expect(page.locator(_VERTEX.format(2))).to_be_focused()
    page.keyboard.press("Delete")
    rings = wait_for_change(page, rings)
    assert len(rings[0]) == 4
    page.locator(".td-shape-path").focus()
    page.keyboard.press("ArrowUp")
    moved = wait_for_change(page, rings)
    assert all(after[1] > before[1] for before, after in zip(rings[0], moved[0], strict=True))
    page.wait_for_url("**shape=BG*")
    check_trips(loaded, page)
    page.locator(".td-shape-path").focus()
    page.keyboard.press("Delete")
    expect(page.locator(".td-shape")).to_be_hidden()


def test_a_shape_is_drawn_with_a_double_click_and_with_a_finger(loaded: Site, open_tab: OpenTab) -> None:
    page = open_tab()
    open_explore(page, f"{loaded.url}/?{_TURIN}")
    page.get_by_role("button", name="Draw shape").click()
    for across, down in _TRIANGLE[:2]:
        page.mouse.click(*place(page, across, down))
    page.keyboard.press("Escape")
    expect(page.locator(".td-shape")).to_be_hidden()
    page.get_by_role("button", name="Draw shape").click()
    for across, down in _TRIANGLE[:2]:
        page.mouse.click(*place(page, across, down))
    page.mouse.dblclick(*place(page, *_TRIANGLE[2]))
    rings = wait_for_change(page, None)
    assert len(rings[0]) == 3
    check_trips(loaded, page)

    finger = page.context.new_cdp_session(page)
    page.get_by_role("button", name="Draw shape").click()
    for across, down in (*_TRIANGLE, _TRIANGLE[0]):
        x, y = place(page, across - 0.1, down)
        finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
        finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    touched = wait_for_change(page, rings)
    assert len(touched[0]) == 3
    check_trips(loaded, page)
