"""Upload and live progress in a real browser, against a real hub, worker and object store."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Route, expect
from pydantic import SecretStr

from infra.embedded import find_free_ports
from infra.environment import make_environment
from shared.platform.hub_tokens import make_token
from shared.platform.settings import Settings
from tests.acceptance.component_page import Watch, check_accessible, chromium, page, save_screenshot, serve_page, watch
from tests.hub import HubServer
from tests.hub_fixtures import hub_settings
from tests.large_parquet import write_large_parquet
from tests.loading import make_trips, running_worker
from tests.shared_data import CHALLENGE_FILE
from ui.style.text import format_count

__all__ = ["chromium", "hub_settings", "page", "watch"]

pytestmark = pytest.mark.browser

PART_BYTES = 16 * 2**20
LOADED_MS = 60_000


@pytest.fixture(scope="module")
def stack_settings(hub_settings: Settings) -> Settings:
    [port] = find_free_ports(1)
    return hub_settings.model_copy(update={"ui_port": port, "allowed_origins": (f"http://127.0.0.1:{port}",)})


@pytest.fixture(scope="module")
def hub(stack_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubServer]:
    server = HubServer.start(stack_settings, tmp_path_factory.mktemp("hub"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def load_url(hub: HubServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    environment = {"TRIPDECK_TEST_HUB_URL": hub.url}
    folder = tmp_path_factory.mktemp("page")
    yield from serve_page("transfer_app.py", folder, port=hub.settings.ui_port, environment=environment)


@pytest.fixture
def worker_environment(stack_settings: Settings) -> dict[str, str]:
    return make_environment(stack_settings)


@pytest.fixture
def worker(worker_environment: dict[str, str], tmp_path: Path) -> Iterator[None]:
    with running_worker(worker_environment, tmp_path / "worker.log"):
        yield


def open_list(page: Page, url: str) -> None:
    page.goto(url)
    page.wait_for_selector(".tt-root[data-ready]")


def choose_file(page: Page, path: Path) -> Locator:
    page.set_input_files(".tt-root input[type=file]", path)
    return page.locator(".tt-row", has_text=path.name)


def read_runs(page: Page) -> str:
    return page.get_by_text("RUNS ").inner_text()


def test_review_upload_load_and_history(load_url: str, hub: HubServer, worker: None, page: Page) -> None:
    open_list(page, load_url)
    runs = read_runs(page)
    row = choose_file(page, CHALLENGE_FILE)
    expect(row).to_have_attribute("data-state", "review")
    expect(row).to_contain_text("divided by comma")
    expect(row.locator("tbody tr")).to_have_count(5)
    save_screenshot(page, "transfer_review")
    check_accessible(page, ".stMain")
    assert hub.get("/api/v1/loads").json()["loads"] == [], "nothing is sent before it was looked at"

    row.get_by_role("button", name="Load this file").click()
    expect(row).to_have_attribute("data-load-state", "succeeded", timeout=LOADED_MS)
    expect(row).to_contain_text("100 trips loaded")
    load_id = row.get_attribute("data-load")
    expect(page.get_by_text(f"HEARD {load_id} succeeded.")).to_be_visible()
    # Once for the end of the load: progress reran nothing
    expect(page.get_by_text(f"RUNS {int(runs.strip('RUNS .')) + 1}.", exact=True)).to_be_visible()
    load = hub.get(f"/api/v1/loads/{load_id}").json()
    assert (load["state"], load["rows_loaded"], load["file_name"]) == ("succeeded", 100, "trips.csv")
    save_screenshot(page, "transfer_loaded")
    row.get_by_role("button", name="Show on map").click()
    expect(page.get_by_text(f"SHOWN {load_id} map.")).to_be_visible()

    page.get_by_role("link", name="History").click()
    shown = page.locator(f"tr[data-load='{load_id}']")
    expect(shown).to_contain_text("100 trips loaded")
    shown.get_by_role("button").click()
    expect(page.get_by_text(f"CHOSEN {load_id}.")).to_be_visible()
    expect(shown).to_have_attribute("aria-current", "true")
    data, _ = make_trips(500)
    hub.ask("PUT", "/api/v1/loads/more.csv", body=data, region="Turin")
    expect(page.locator("tr[data-state='succeeded']", has_text="more.csv")).to_be_visible(timeout=LOADED_MS)
    expect(page.get_by_text(re.compile(r"HEARD .*\d+ succeeded\."))).to_be_visible()
    save_screenshot(page, "loadfeed")
    check_accessible(page, ".stMain")


def test_a_file_that_leaves_something_open_asks_once(
    load_url: str, worker: None, page: Page, watch: Watch, tmp_path: Path
) -> None:
    watch.tolerated = ("422",)
    head, rows = "cab;From point;To point;At;Half\n", "1;POINT (7.67 45.06);POINT (7.66 45.07);0{}/02/2026 08:00;South\n"
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    first.write_text(head + rows.format(1), encoding="utf-8")
    second.write_text(head + rows.format(3), encoding="utf-8")
    open_list(page, load_url)
    row = choose_file(page, first)
    expect(row).to_contain_text("Every date in At fits month first as well as day first")
    expect(row.get_by_role("button", name="Load this file")).to_have_count(0)
    save_screenshot(page, "transfer_question")
    row.get_by_role("button", name="Day first").click()
    expect(row.locator(".tt-table").first).to_contain_text("2026-02-01 08:00:00")
    expect(row).to_contain_text("day first, kept as written")
    row.get_by_label("Region", exact=True).select_option(label="Half")
    expect(row.locator(".tt-table").first).to_contain_text("South")
    save_screenshot(page, "transfer_answered")
    check_accessible(page, ".stMain")
    row.get_by_role("button", name="Load this file").click()
    expect(row).to_have_attribute("data-load-state", "succeeded", timeout=LOADED_MS)
    row = choose_file(page, second)
    expect(row).to_contain_text("As last time, in load")
    expect(row.locator(".tt-table").first).to_contain_text("2026-02-03 08:00:00")
    expect(row.get_by_label("Region", exact=True)).to_have_value("4")
    row.get_by_role("button", name="Read it anew").click()
    expect(row).to_contain_text("Every date in At fits month first as well as day first")


def test_a_large_parquet_file_is_shown_and_limits_of_rejects_hold(
    load_url: str, hub: HubServer, worker: None, page: Page, tmp_path: Path
) -> None:
    large = tmp_path / "large.parquet"
    large.write_bytes(write_large_parquet())
    open_list(page, load_url)
    row = choose_file(page, large)
    expect(row).to_contain_text("Parquet · 6 columns · the first 1\u202f000 rows are good")
    expect(row.locator(".tt-table").first).to_contain_text("2026-03-02 08:01:00")
    expect(row.get_by_label("Start time")).to_have_value("0")
    row.get_by_role("button", name="Remove").click()

    bad = tmp_path / "bad.csv"
    bad.write_bytes(make_trips(50, bad_share=0.2)[0])
    row = choose_file(page, bad)
    row.get_by_text("More columns and options").click()
    row.get_by_label("Rejected rows at most, %").fill("2.5")
    limit = row.get_by_label("Rejected rows at most", exact=True)
    limit.fill("2")
    limit.fill("-1")  # refused: what was typed before counts, and is shown again
    limit.blur()
    expect(limit).to_have_value("2")
    save_screenshot(page, "transfer_limits")
    check_accessible(page, ".stMain")
    row.get_by_role("button", name="Load this file").click()
    expect(row).to_have_attribute("data-load-state", "failed", timeout=LOADED_MS)
    expect(row).to_contain_text("More than 2 rows were rejected")
    load = hub.get(f"/api/v1/loads/{row.get_attribute('data-load')}").json()
    assert (load["options"]["max_rejects"], load["options"]["max_reject_share"]) == (2, 0.025)


def test_a_file_that_holds_no_trips_is_refused_before_it_is_sent(
    load_url: str, hub: HubServer, page: Page, watch: Watch, tmp_path: Path
) -> None:
    watch.tolerated = ("422",)
    notes = tmp_path / "notes.csv"
    notes.write_text("hello\nworld\n", encoding="utf-8")
    open_list(page, load_url)
    row = choose_file(page, notes)
    expect(row).to_have_attribute("data-state", "failed")
    expect(row).to_contain_text("only one column")
    save_screenshot(page, "transfer_refused")
    row.get_by_role("button", name="Remove").click()
    expect(page.locator(".tt-row")).to_have_count(0)


def test_upload_goes_on_over_page_switch_reload_and_a_store_that_is_away(
    load_url: str, hub: HubServer, worker: None, page: Page, watch: Watch, tmp_path: Path
) -> None:
    watch.tolerated = ("net::ERR_",)
    trips = tmp_path / "many.csv"
    line = b"Turin,POINT (7.6 45.0),POINT (7.7 45.1),2018-05-21 02:54:04,baba_car\n"
    trips.write_bytes(b"region,origin_coord,destination_coord,datetime,datasource\n" + line * (3 * PART_BYTES // len(line)))
    is_second_part_cut = True

    def cut_second_part(route: Route) -> None:
        if is_second_part_cut and "partNumber=2" in route.request.url:
            route.abort("connectionrefused")
        else:
            route.continue_()

    page.route("**/*partNumber=*", cut_second_part)
    page.on("dialog", lambda dialog: dialog.accept())
    open_list(page, f"{load_url}/?review=no")
    row = choose_file(page, trips)
    expect(row).to_contain_text("The object store does not answer. Trying again")
    save_screenshot(page, "transfer_store_away")

    page.get_by_role("link", name="History").click()
    page.wait_for_selector("[data-live=live]")
    page.get_by_role("link", name="Load").click()
    expect(row).to_have_attribute("data-state", "uploading")

    page.reload()
    page.wait_for_selector(".tt-root[data-ready]")
    expect(page.locator(".tt-row[data-state=interrupted]")).to_contain_text("many.csv")
    save_screenshot(page, "transfer_interrupted")
    is_second_part_cut = False
    row = choose_file(page, trips)
    expect(row).to_have_attribute("data-load-state", "succeeded", timeout=LOADED_MS)
    assert int(row.get_attribute("data-reused") or 0) >= 1
    load = hub.get(f"/api/v1/loads/{row.get_attribute('data-load')}").json()
    assert load["bytes_total"] == trips.stat().st_size
    expect(page.locator(".tt-row")).to_have_count(1)


def test_live_progress_survives_the_hub(
    load_url: str, hub: HubServer, worker_environment: dict[str, str], page: Page, watch: Watch, tmp_path: Path
) -> None:
    watch.tolerated = ("WebSocket", "net::ERR_")
    trips = tmp_path / "steady.csv"
    data, tally = make_trips(60_000, bad_share=0.01)
    trips.write_bytes(data)
    open_list(page, f"{load_url}/?review=no")
    row = choose_file(page, trips)
    expect(row).to_have_attribute("data-load-state", "queued")
    hub.kill()
    expect(row).to_contain_text("The hub does not answer; the load goes on")
    with running_worker(worker_environment, tmp_path / "worker.log", batch_bytes=200_000):
        hub.restart()
        expect(row).to_have_attribute("data-load-state", "succeeded", timeout=LOADED_MS)
    expect(row).to_contain_text(f"{format_count(tally.rows_loaded)} trips loaded")
    expect(row).to_contain_text(f"{format_count(60_000 - tally.rows_loaded)} rejected")
    expect(row.get_by_role("button", name="See rejects")).to_be_visible()


def test_cancel_drops_the_upload(load_url: str, hub: HubServer, page: Page, watch: Watch, tmp_path: Path) -> None:
    watch.tolerated = ("net::ERR_",)
    trips = tmp_path / "trips.csv"
    trips.write_bytes(make_trips(1_000)[0])
    page.route("**/*partNumber=*", lambda route: route.abort("connectionrefused"))
    open_list(page, f"{load_url}/?review=no")
    row = choose_file(page, trips)
    expect(row).to_contain_text("Trying again")
    with page.expect_response(lambda answer: answer.request.method == "DELETE") as dropped:
        row.get_by_role("button", name="Cancel").click()
    assert dropped.value.status == 204
    expect(row).to_have_attribute("data-state", "cancelled")
    page.reload()
    page.wait_for_selector(".tt-root[data-ready]")
    expect(page.locator(".tt-row")).to_have_count(0)


@pytest.fixture
def refused_url(stack_settings: Settings, tmp_path: Path) -> Iterator[str]:
    """A page whose token another hub has signed."""
    hub_port, ui_port = find_free_ports(2)
    settings = stack_settings.model_copy(
        update={
            "hub_port": hub_port,
            "api_url": f"http://127.0.0.1:{hub_port}",
            "allowed_origins": (f"http://127.0.0.1:{ui_port}",),
            "hub_secret": SecretStr("a-secret-of-the-tests"),
        }
    )
    hub = HubServer.start(settings, tmp_path)
    token = make_token("another-secret-altogether", "write")
    environment = {"TRIPDECK_TEST_HUB_URL": hub.url, "TRIPDECK_TEST_HUB_TOKEN": token}
    yield from serve_page("transfer_app.py", tmp_path, port=ui_port, environment=environment)
    hub.stop()


def test_a_refused_token_is_said(refused_url: str, page: Page) -> None:
    open_list(page, refused_url)
    page.get_by_role("link", name="History").click()
    expect(page.get_by_text("The hub refuses this page")).to_be_visible()
