"""Sign-in in a browser: without the cookie that a provider's answer brings, nothing but the way in; with it, everything."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect
from pydantic import SecretStr
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

from shared.settings import Settings
from tests.acceptance.component_page import check_accessible, chromium, watch
from tests.acceptance.site import OpenTab, Site, hub_settings, open_tab, save_picture, see_number, site
from tests.acceptance.site import site_settings as open_site_settings
from tests.shared_data import CHALLENGE_FILE, requires_shared

__all__ = ["chromium", "hub_settings", "open_site_settings", "open_tab", "site", "watch"]

pytestmark = [pytest.mark.browser, requires_shared]

COOKIE_SECRET = "a-secret-of-the-test-only-of-32-characters"


@pytest.fixture(scope="module")
def site_settings(open_site_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A site whose visitors sign in."""
    path: Path = tmp_path_factory.mktemp("sign_in") / "sign_in.toml"
    url = f"http://127.0.0.1:{open_site_settings.ui_port}"
    path.write_text(
        f'[auth]\nredirect_uri = "{url}/oauth2callback"\ncookie_secret = "{COOKIE_SECRET}"\nclient_id = "tripdeck"\n'
        f'client_secret = "test"\nserver_metadata_url = "{url}/no-provider"\n',
        encoding="utf-8",
    )
    return open_site_settings.model_copy(update={"sign_in_file": path, "hub_secret": SecretStr("a hub secret of the test only")})


def test_only_the_way_in_then_everything_then_out(site: Site, open_tab: OpenTab) -> None:
    site.load(CHALLENGE_FILE.read_bytes(), file_name="trips.csv")
    page = open_tab("dark")
    for path in ("/", "/loads", "/questions"):
        page.goto(site.url + path)
        expect(page.get_by_role("button", name="Sign in")).to_be_visible()
        expect(page.get_by_role("link", name="Explore")).to_have_count(0)
    save_picture(page, "page_sign_in_dark")
    check_accessible(page, "body")

    user = {"email": "ada@example.com", "is_logged_in": True, "origin": site.url, "provider": "default"}
    value = create_signed_value(COOKIE_SECRET, "_streamlit_user", json.dumps(user)).decode()
    page.context.add_cookies([{"name": "_streamlit_user", "value": value, "url": site.url}])
    page.goto(site.url)
    expect(see_number(page, "Trips")).to_have_text("100")
    page.get_by_role("link", name="Loads").click()
    expect(page.locator("tr[data-state=succeeded]", has_text="trips.csv")).to_be_visible()  # the feed, with the session's token

    page.get_by_role("link", name="Sign out ada@example.com").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
