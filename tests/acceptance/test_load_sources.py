"""Sources on the Load page, in a browser."""

import re

import pytest
from playwright.sync_api import expect

from shared.platform.settings import Settings
from shared.sources import list_sources
from tests.acceptance.component_page import chromium, watch
from tests.acceptance.site import OpenTab, Site, hub_settings, open_tab, save_picture, site
from tests.acceptance.site import site_settings as plain_settings
from tests.integration.test_sources import OTHER_HEADER, OTHER_ROW, Drop, rows, run
from tests.loading import change
from tests.services import S3Server

__all__ = ["chromium", "hub_settings", "open_tab", "plain_settings", "site", "watch"]


pytestmark = [pytest.mark.browser]


@pytest.fixture(scope="module")
def drop(s3_server: S3Server) -> Drop:
    return Drop(s3_server.connect(), s3_server.make_bucket())


@pytest.fixture(scope="module")
def site_settings(plain_settings: Settings, drop: Drop) -> Settings:
    return plain_settings.model_copy(update={"source_allow": (f"s3://{drop.bucket}/",)})


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_source_is_watched_from_the_page(site: Site, open_tab: OpenTab, drop: Drop, scheme: str) -> None:
    reading = change(site.context, source_allow=(f"s3://{drop.bucket}/",))
    page = open_tab(scheme, size=(1280, 900))
    page.goto(f"{site.url}/load")
    page.get_by_text("Sources: files from buckets and web servers").click()
    page.get_by_label("Region", exact=True).fill("Torino")
    page.get_by_label("Region", exact=True).press("Tab")
    page.get_by_label("Address", exact=True).fill(f"s3://{drop.bucket}/{scheme}/")
    page.get_by_role("button", name="Watch").click()
    expect(page.get_by_role("button", name="Look now")).to_be_visible()
    number = list_sources(reading.engine)[0]["source_id"]
    drop.put(f"{scheme}/2024-03-01.csv", rows(len(scheme)))
    run(reading, number)
    drop.put(f"{scheme}/2024-03-02.csv", OTHER_HEADER + OTHER_ROW)
    run(reading, number)
    expect(page.get_by_text(re.compile("Its columns are not those"))).to_be_visible()
    expect(page.get_by_role("button", name="Read 1 object again")).to_be_visible()
    page.get_by_text("Sources: files from buckets and web servers").scroll_into_view_if_needed()
    save_picture(page, f"sources_{scheme}")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Go on")).to_be_visible()
    page.get_by_role("button", name="Remove").click()
