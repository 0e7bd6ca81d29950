"""The analyst's way through the product, in a real browser: load a file, watch it, draw a box, find the load."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from infra.environment import make_environment
from tests.acceptance.component_page import chromium, watch
from tests.acceptance.site import OpenTab, Site, hub_settings, open_tab, save_picture, see_number, site, site_settings
from tests.loading import running_worker
from tests.shared_data import CHALLENGE_FILE

__all__ = ["chromium", "hub_settings", "open_tab", "site", "site_settings", "watch"]

pytestmark = pytest.mark.browser

LOADED_MS = 90_000
ENDS = ("Origin", "Destination", "Both", "Either")


def ask_api(site: Site, page: Page, **changes: str) -> dict[str, Any]:
    """What the API says for the view that the address of the page names."""
    asked = {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()} | changes
    answer: dict[str, Any] = site.hub.get(f"/api/v1/weekly-average?{urlencode(asked)}").json()
    return answer


def check_numbers(site: Site, page: Page, **changes: str) -> int:
    answer = ask_api(site, page, **changes)
    expect(see_number(page, "Trips")).to_have_text(str(answer["trips"]))
    expect(see_number(page, "Trips a week, on average")).to_have_text(f"{answer['weekly_average']:.1f}")
    return int(answer["trips"])


def drag_over(page: Page, host: Locator, *, start: tuple[float, float], end: tuple[float, float]) -> None:
    ground = host.bounding_box()
    assert ground is not None
    points = [(ground["x"] + ground["width"] * across, ground["y"] + ground["height"] * down) for across, down in (start, end)]
    page.mouse.move(*points[0])
    page.mouse.down()
    page.mouse.move(*points[1], steps=6)
    page.mouse.up()


def choose_option(page: Page, label: str, option: str) -> None:
    page.get_by_role("combobox", name=re.compile(label)).click()
    page.get_by_role("option", name=re.compile(option)).click()


def test_load_watch_ask_and_find(site: Site, open_tab: OpenTab, tmp_path: Path) -> None:
    page = open_tab()
    page.goto(site.url)
    page.get_by_role("link", name="Load a file").click()

    with running_worker(make_environment(site.settings), tmp_path / "worker.log"):
        page.wait_for_selector(".tt-root[data-ready]")
        page.set_input_files(".tt-root input[type=file]", CHALLENGE_FILE)
        row = page.locator(".tt-row", has_text="trips.csv")
        expect(row).to_have_attribute("data-state", "review")
        save_picture(page, "journey_1_review")
        with page.expect_request(lambda request: "partNumber=1" in request.url) as sent:
            row.get_by_role("button", name="Load this file").click()
        assert urlsplit(sent.value.url).netloc == urlsplit(site.settings.s3_endpoint).netloc, "bytes go straight to the store"
        expect(row).to_have_attribute("data-load-state", "succeeded", timeout=LOADED_MS)
        save_picture(page, "journey_2_loaded")
    row.get_by_role("button", name="Show on map").click()
    page.wait_for_selector(".td-root[data-ready]")
    assert check_numbers(site, page) == 100

    choose_option(page, "Region", "Turin")
    expect(see_number(page, "Trips a week, on average")).to_have_text("7.6")
    page.get_by_role("button", name="Draw box").click()
    page.wait_for_function("() => document.querySelector('.stApp').dataset.testScriptState === 'notRunning'")
    drag_over(page, page.locator(".td-host"), start=(0.35, 0.3), end=(0.6, 0.65))
    page.wait_for_url("**bbox=**")
    counted = []
    for end in ENDS:
        page.get_by_role("radio", name=end).or_(page.get_by_role("button", name=end)).first.click()
        counted.append(check_numbers(site, page, end=end.lower()))
    origin, destination, both, either = counted
    assert both <= min(origin, destination)
    assert either == origin + destination - both
    save_picture(page, "journey_3_box")

    page.get_by_role("link", name="Loads").click()
    found = page.locator("tr[data-state=succeeded]", has_text="trips.csv")
    expect(found).to_contain_text("100")
    found.get_by_role("button").click()
    expect(see_number(page, "Rows read")).to_have_text("100")
    expect(see_number(page, "Rejected")).to_have_text("0")
    save_picture(page, "journey_4_history")
