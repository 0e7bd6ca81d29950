"""Explore in a browser, with the challenge file loaded: open it, brush its charts, compare it with the API, hold answers back."""

import re
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Locator, Page, WebSocketRoute, expect

from tests.acceptance.site import Site, see_number
from tests.loading import wait_until
from tests.shared_data import CHALLENGE_FILE


@pytest.fixture(scope="module")
def loaded(site: Site) -> Site:
    site.load(CHALLENGE_FILE.read_bytes(), file_name="trips.csv")
    return site


class LateAnswers:
    """Between page and web app: answers can be held back for a while."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._held: list[str | bytes] | None = None
        page.route_web_socket(re.compile("/_stcore/stream"), self._connect)

    def hold(self) -> None:
        """Keep what the web app says from the page."""
        self._held = []

    def wait_for_all(self) -> None:
        """Wait until the web app has said all it has to say."""

        def is_quiet() -> bool:
            before = len(self._held or [])
            self._page.wait_for_timeout(1000)
            return 0 < before == len(self._held or [])

        wait_until(is_quiet)

    def send(self) -> None:
        """Let the page hear it."""
        held, self._held = self._held or [], None
        for message in held:
            self._page_side.send(message)

    def _connect(self, page_side: WebSocketRoute) -> None:
        self._page_side = page_side
        page_side.connect_to_server().on_message(self._pass_on)

    def _pass_on(self, message: str | bytes) -> None:
        if self._held is None:
            self._page_side.send(message)
        else:
            self._held.append(message)


def open_explore(page: Page, url: str) -> None:
    page.goto(url)
    page.wait_for_selector(".td-root[data-ready]")
    expect(page.get_by_test_id("stDataFrame")).to_be_visible()


def wait_for_rest(page: Page) -> None:
    """Until the page has been drawn and nothing runs."""
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")


def brush(page: Page, chart: Locator, start: float, end: float) -> None:
    """Drag along a chart, from one share of its width to another."""
    # The page draws its charts anew when their filters have changed: only then do they stand still.
    wait_for_rest(page)
    drawing = chart.locator("svg")
    drawing.hover(trial=True)  # waits until it stands at one place in two frames
    ground = drawing.bounding_box()
    assert ground is not None
    y = ground["y"] + ground["height"] * 0.55
    page.mouse.move(ground["x"] + ground["width"] * start, y)
    page.mouse.down()
    page.mouse.move(ground["x"] + ground["width"] * (start + end) / 2, y, steps=4)
    page.mouse.move(ground["x"] + ground["width"] * end, y, steps=4)
    page.mouse.up()


def read_address(page: Page) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def check_trips(site: Site, page: Page) -> int:
    """The page says what the API says for the page's address."""
    asked = read_address(page)
    if "hours" in asked:
        asked["hour_from"], asked["hour_to"] = asked.pop("hours").split("-")
    trips = site.hub.get(f"/api/v1/weekly-average?{urlencode(asked)}").json()["trips"]
    expect(see_number(page, "Trips")).to_have_text(str(trips))
    return int(trips)
