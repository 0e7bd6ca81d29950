"""Pictures of every page as people meet it: a month of trips in three cities, light and dark, on a laptop and on a tablet.

Each picture is kept in tests/output, and what it shows is checked: accessible, no error in the console, no foreign request.
docs/images and the pictures of docs/user-guide.md are copies of them.
"""

import re
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from playwright.sync_api import Page, expect

from infra.environment import make_environment
from shared.platform.settings import Settings
from tests.acceptance.component_page import check_accessible, chromium, watch
from tests.acceptance.site import OpenTab, Site, hub_settings, open_tab, save_picture, site
from tests.acceptance.site import site_settings as plain_site_settings
from tests.acceptance.test_pages import VEGA_BRUSHES
from tests.analysts import as_analyst
from tests.loading import make_trips, running_worker

__all__ = ["chromium", "hub_settings", "open_tab", "plain_site_settings", "site", "watch"]

pytestmark = [pytest.mark.browser]

ROWS = 60_000
SMALL_BATCHES = 128 * 1024
TURIN_BOX = "region=Turin&bbox=7.64,45.04,7.72,45.1&end=either"
PERIODS = "from=2026-03-30&to=2026-04-26&compare_from=2026-03-02&compare_to=2026-03-29"
LAPTOP, TABLET = (1280, 720), (820, 1180)


@pytest.fixture(scope="module")
def site_settings(plain_site_settings: Settings) -> Settings:
    """Batches so small that a load can be seen on its way; questions in SQL."""
    return as_analyst(plain_site_settings, batch_bytes=SMALL_BATCHES)


@pytest.fixture(scope="module")
def loaded(site: Site) -> Site:
    """Half a year of trips in three cities, some of them unreadable."""
    data, _ = make_trips(ROWS, seed=4, bad_share=0.002)
    site.load(data, file_name="spring.csv")
    return site


def wait_for_explore(page: Page) -> None:
    page.wait_for_selector(".td-root[data-ready]")
    expect(page.get_by_test_id("stDataFrame")).to_be_visible()
    expect(page.get_by_test_id("stVegaLiteChart")).not_to_have_count(0)


def choose_group(page: Page) -> None:
    wait_for_explore(page)
    page.get_by_test_id("stDataFrame").click(position={"x": 17, "y": 46})
    expect(page.get_by_role("button", name="Its trips")).to_be_visible()


def open_comparison(page: Page) -> None:
    wait_for_explore(page)
    page.get_by_role("button", name="Compare periods").click()
    expect(page.get_by_text("The time before")).to_be_visible()


def wait_for_rejects(page: Page) -> None:
    expect(page.get_by_text("Rejects by reason").first).to_be_visible()


def wait_for_question(page: Page) -> None:
    expect(page.get_by_test_id("stDataFrame")).to_be_visible()


def wait_for_chart(page: Page) -> None:
    wait_for_question(page)
    expect(page.get_by_test_id("stVegaLiteChart")).to_be_visible()


def ask_in_sql(page: Page) -> None:
    page.get_by_role("button", name="Run").click()
    wait_for_question(page)


PAGES: dict[str, tuple[str, Callable[[Page], None]]] = {
    "explore": (f"/?{TURIN_BOX}", wait_for_explore),
    "explore_compared": (f"/?{TURIN_BOX}&{PERIODS}", wait_for_explore),
    "explore_group": ("/?region=Turin&weekdays=1-5&hours=7-10", choose_group),
    "explore_choice": (f"/?region=Turin&{PERIODS}", open_comparison),
    "loads": ("/loads?load=1", wait_for_rejects),
    "questions": ("/questions?question=regions_of_datasource", wait_for_question),
    "questions_chart": ("/questions?question=trips_per_region", wait_for_chart),
    "questions_sql": ("/questions?question=sql", ask_in_sql),
}


@pytest.mark.parametrize(("scheme", "size"), [("light", LAPTOP), ("dark", LAPTOP), ("light", TABLET)])
def test_pictures(loaded: Site, open_tab: OpenTab, scheme: str, size: tuple[int, int]) -> None:
    """One tab for all pages: what a visitor would do, and quicker."""
    page = open_tab(scheme, size=size)
    for name, (path, wait) in PAGES.items():
        page.goto(loaded.url + path)
        wait(page)
        save_picture(page, f"picture_{name}_{scheme}{'_tablet' if size == TABLET else ''}")
        check_accessible(page, "body", exclude=VEGA_BRUSHES)
        width = page.get_by_test_id("stMain").evaluate("main => main.scrollWidth")
        assert width <= size[0], f"{name} is {width} pixels wide"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pictures_of_a_load(loaded: Site, open_tab: OpenTab, tmp_path: Path, scheme: str) -> None:
    data, _ = make_trips(40_000, seed=5 if scheme == "light" else 6, bad_share=0.001)
    file = tmp_path / f"autumn_{scheme}.csv"
    file.write_bytes(data)
    page = open_tab(scheme)
    page.goto(f"{loaded.url}/load")
    page.wait_for_selector(".tt-root[data-ready]")
    page.set_input_files(".tt-root input[type=file]", file)
    row = page.locator(".tt-row", has_text=file.name)
    expect(row).to_have_attribute("data-state", "review")
    save_picture(page, f"picture_load_review_{scheme}")
    check_accessible(page, "body")
    row.get_by_role("button", name="Load this file").click()
    expect(row).to_have_attribute("data-load-state", "queued")
    with running_worker(make_environment(loaded.settings), tmp_path / "worker.log"):
        expect(row).to_have_attribute("data-load-state", "loading")
        expect(row).to_contain_text(re.compile(r"[1-3]\d\s\d{3} rows"))
        save_picture(page, f"picture_load_running_{scheme}")
        check_accessible(page, "body")
        expect(row).to_have_attribute("data-load-state", "succeeded")


def test_a_chart_and_an_answer_are_saved(loaded: Site, open_tab: OpenTab, tmp_path: Path) -> None:
    page = open_tab()
    page.goto(f"{loaded.url}/questions?question=trips_per_region")
    wait_for_chart(page)
    page.get_by_test_id("stVegaLiteChart").hover()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download as PNG").click()
    picture = tmp_path / "chart.png"
    download.value.save_as(picture)
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size > 5_000
    with page.expect_download() as download:
        page.get_by_role("button", name="Parquet").click()
    answer = tmp_path / "answer.parquet"
    download.value.save_as(answer)
    regions = loaded.hub.get("/api/v1/regions").json()["regions"]
    assert pl.read_parquet(answer)["trips"].to_list() == [region["trips"] for region in regions]
