"""Every page in a real browser, light and dark, at 1280 by 720: it fits, logs no error, asks no other host."""

from collections.abc import Callable
from functools import partial

import pytest
from playwright.sync_api import Page, expect

from tests.acceptance.component_page import Watch, check_accessible, chromium, watch
from tests.acceptance.site import OpenTab, Site, hub_settings, open_tab, save_picture, see_number, site, site_settings
from tests.loading import BAD_ROW, HEADER, ROW
from tests.shared_data import CHALLENGE_FILE

__all__ = ["chromium", "hub_settings", "open_tab", "site", "site_settings", "watch"]

pytestmark = pytest.mark.browser

SCHEMES = ("light", "dark")
# Vega draws a brush as groups that claim to be pictures and takes no name for them; the chart itself has its description.
VEGA_BRUSHES = tuple(f"g.{brush}_brush{part}" for brush in ("period", "hours", "weekdays") for part in ("", "_bg"))
TURIN_BOX = "7.5,45,7.7,45.1"


@pytest.fixture(scope="module")
def loaded(site: Site) -> Site:
    """The challenge's trips, a load with rejects, and one that failed."""
    site.load(CHALLENGE_FILE.read_bytes(), file_name="trips.csv")
    other_day = ROW.replace(b"Turin", b"Oslo").replace(b"7.6 45.0", b"seven")
    site.load(HEADER + BAD_ROW * 7 + other_day * 3, file_name="rejected.csv")
    site.load(b"Dear reader,\nno trips here.\n", file_name="letter.txt")
    return site


def wait_for_explore(page: Page) -> None:
    page.wait_for_selector(".td-root[data-ready]")
    expect(page.get_by_test_id("stVegaLiteChart")).to_have_count(3)
    expect(page.get_by_test_id("stDataFrame")).to_be_visible()


def wait_for_text(page: Page, text: str) -> None:
    expect(page.get_by_text(text).first).to_be_visible()


PAGES: dict[str, tuple[str, Callable[[Page], None]]] = {
    "explore": ("/", wait_for_explore),
    "explore_box": (f"/?region=Turin&bbox={TURIN_BOX}&end=either", wait_for_explore),
    "explore_period": ("/?from=2018-05-07&to=2018-05-20&hours=6-12", wait_for_explore),
    "load": ("/load", partial(wait_for_text, text="Drop trip files here")),
    "loads": ("/loads?load=2", partial(wait_for_text, text="Rejects by reason")),
    "loads_failed": ("/loads?load=3", partial(wait_for_text, text="Load 3: letter.txt")),
    "questions": ("/questions?question=regions_of_datasource", partial(wait_for_text, text="where datasource =")),
}


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", PAGES)
def test_page(loaded: Site, open_tab: OpenTab, name: str, scheme: str) -> None:
    path, wait = PAGES[name]
    page = open_tab(scheme)
    page.goto(loaded.url + path)
    wait(page)
    save_picture(page, f"page_{name}_{scheme}")
    check_accessible(page, "[data-testid=stMain]", exclude=VEGA_BRUSHES)
    assert page.title() in (name.partition("_")[0].capitalize(), "Tripdeck")


def test_explore_fits_on_the_screen(loaded: Site, open_tab: OpenTab) -> None:
    page = open_tab()
    page.goto(f"{loaded.url}/?region=Turin&bbox={TURIN_BOX}")
    wait_for_explore(page)
    main = page.get_by_test_id("stMain")
    assert main.evaluate("main => [main.scrollHeight <= innerHeight, main.scrollWidth <= innerWidth]") == [True, True]


def test_numbers_of_a_shared_address(loaded: Site, open_tab: OpenTab) -> None:
    page = open_tab()
    page.goto(f"{loaded.url}/?region=Turin&bbox={TURIN_BOX}&end=either")
    wait_for_explore(page)
    answer = loaded.hub.get(f"/api/v1/weekly-average?region=Turin&bbox={TURIN_BOX}&end=either").json()
    assert (answer["weekly_average"], answer["trips"]) == (5.4, 27)
    expect(see_number(page, "Trips a week, on average")).to_have_text("5.4")
    expect(see_number(page, "Trips")).to_have_text("27")


def test_empty_and_troubled_pages(site: Site, loaded: Site, open_tab: OpenTab, watch: Watch) -> None:
    page = open_tab()
    page.goto(f"{loaded.url}/?bbox=0,0,1,1")
    wait_for_text(page, "No trips that start in the box between")
    save_picture(page, "page_explore_empty_light")
    watch.tolerated = ("ERR_CONNECTION_REFUSED",)
    loaded.hub.kill()
    page.get_by_role("link", name="Load", exact=True).click()
    wait_for_text(page, "no file can be loaded")
    save_picture(page, "page_load_hub_down_light")
    page.get_by_role("link", name="Loads").click()
    wait_for_text(page, "The hub does not answer")
    save_picture(page, "page_loads_hub_down_light")
    loaded.hub.restart()
    page.get_by_role("link", name="Load", exact=True).click()
    wait_for_text(page, "Drop trip files here")
