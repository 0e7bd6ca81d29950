"""Sign-in in a browser, by a provider that is a process of its own: the way in, everything, and the way out."""

import json
import sys
import time
import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from pydantic import SecretStr

from infra.embedded import Program, find_free_ports, start_program, stop_process, wait_until_ready
from shared.platform.settings import Settings
from tests.acceptance.component_page import ROOT, Watch, check_accessible, chromium, watch
from tests.acceptance.site import OpenTab, Site, hub_settings, open_tab, save_picture, see_number, site
from tests.acceptance.site import site_settings as open_site_settings
from tests.shared_data import CHALLENGE_FILE

__all__ = ["chromium", "hub_settings", "open_site_settings", "open_tab", "site", "watch"]

pytestmark = pytest.mark.browser

DISCOVERY = ".well-known/openid-configuration"
ADA = {"sub": "ada", "email": "ada@example.com"}
# The provider's own pages take a style sheet from there.
PROVIDER_STYLE = "https://cdn.jsdelivr.net/npm/@picocss/"


@pytest.fixture(scope="module")
def provider_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An OpenID Connect provider with one user."""
    [port] = find_free_ports(1)
    url = f"http://127.0.0.1:{port}"
    program = Program(
        name="provider",
        command=(sys.executable, "-m", "oidc_provider_mock", "--port", str(port), "--user-claims", json.dumps(ADA)),
        folder=ROOT,
        log_file=tmp_path_factory.mktemp("provider") / "provider.log",
        check=partial(_read, f"{url}/{DISCOVERY}"),
    )
    process = start_program(program)
    wait_until_ready(process)
    yield url
    stop_process(process)


@pytest.fixture(scope="module")
def site_settings(open_site_settings: Settings, provider_url: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A site whose visitors sign in."""
    path: Path = tmp_path_factory.mktemp("sign_in") / "sign_in.toml"
    url = f"http://127.0.0.1:{open_site_settings.ui_port}"
    path.write_text(
        f'[auth]\nredirect_uri = "{url}/oauth2callback"\ncookie_secret = "a-secret-of-the-test-only-of-32-characters"\n'
        f'client_id = "tripdeck"\nclient_secret = "test"\nserver_metadata_url = "{provider_url}/{DISCOVERY}"\n',
        encoding="utf-8",
    )
    return open_site_settings.model_copy(update={"sign_in_file": path, "hub_secret": SecretStr("a hub secret of the test only")})


@pytest.fixture
def page(open_tab: OpenTab, watch: Watch) -> Iterator[Page]:
    """A tab to which the provider's style sheet comes from nowhere."""
    tab = open_tab("dark")
    tab.route(f"{PROVIDER_STYLE}**", lambda route: route.fulfill(body="", content_type="text/css"))
    yield tab
    watch.foreign[:] = [url for url in watch.foreign if not url.startswith(PROVIDER_STYLE)]


def test_only_the_way_in_then_everything_then_out(site: Site, page: Page, provider_url: str) -> None:
    site.load(CHALLENGE_FILE.read_bytes(), file_name="trips.csv")
    for path in ("/", "/loads", "/questions"):
        page.goto(site.url + path)
        expect(page.get_by_role("button", name="Sign in")).to_be_visible()
        expect(page.get_by_role("link", name="Explore")).to_have_count(0)
    save_picture(page, "page_sign_in_dark")
    check_accessible(page, "body")

    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{provider_url}/oauth2/authorize*")
    page.clock.install()
    page.get_by_role("button", name="ada", exact=True).click()
    expect(see_number(page, "Trips")).to_have_text("100")
    page.get_by_role("link", name="Loads").click()
    expect(page.locator("tr[data-state=succeeded]", has_text="trips.csv")).to_be_visible()  # the feed, with the session's token
    assert site.hub.get("/api/v1/loads").status == 401, "the hub lets nobody in without it"
    token = page.evaluate("window.__tripdeckToken")
    assert site.hub.get("/api/v1/loads", headers={"Authorization": f"Bearer {token}"}).status == 200
    assert int(token.split(".")[1]) < time.time() + 15 * 60 + 1
    page.wait_for_timeout(1_000)  # tokens of one second are the same
    page.clock.fast_forward("05:01")
    page.wait_for_function("token => window.__tripdeckToken !== token", arg=token)

    page.get_by_role("link", name="Sign out ada@example.com").click()
    page.wait_for_url(f"{provider_url}/oauth2/end_session*")
    page.get_by_role("button", name="End session").click()
    page.wait_for_url(f"{site.url}/")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    page.reload()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


def test_who_is_turned_away_by_the_provider_stays_outside(site: Site, page: Page, provider_url: str) -> None:
    page.goto(site.url)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{provider_url}/oauth2/authorize*")
    page.get_by_role("button", name="Deny").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    expect(page.get_by_role("link", name="Explore")).to_have_count(0)


def _read(url: str) -> None:
    with urllib.request.urlopen(url, timeout=2) as answer:
        answer.read()
