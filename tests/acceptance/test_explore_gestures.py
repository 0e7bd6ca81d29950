"""What only a browser does on Explore: brush the charts, go back, reload, choose a row, take an export along."""

import csv
import io
import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.acceptance.component_page import OUTPUT, check_accessible, chromium, watch
from tests.acceptance.explore_page import brush, check_trips, loaded, open_explore, read_address
from tests.acceptance.site import OpenTab, Site, hub_settings, open_tab, save_picture, see_number, site, site_settings

__all__ = ["chromium", "hub_settings", "loaded", "open_tab", "site", "site_settings", "watch"]

pytestmark = pytest.mark.browser


def test_brush_weeks_hours_and_days_reload_and_undo(loaded: Site, open_tab: OpenTab) -> None:
    page = open_tab()
    open_explore(page, loaded.url)
    charts = page.get_by_test_id("stVegaLiteChart")
    brush(page, charts.nth(0), 0.35, 0.55)
    expect(see_number(page, "Trips")).to_have_text("39")
    assert read_address(page) == {"from": "2018-05-07", "to": "2018-05-20"}

    brush(page, charts.nth(1), 0.32, 0.5)
    page.wait_for_url("**hours=*")
    brush(page, charts.nth(2), 0.3, 0.6)
    page.wait_for_url("**weekdays=*")
    seen = read_address(page)
    few = check_trips(loaded, page)
    assert 0 < few < 39
    save_picture(page, "explore_brushed")

    page.reload()
    assert check_trips(loaded, page) == few
    assert read_address(page) == seen

    page.get_by_role("button", name="All weeks").click()
    page.wait_for_function("() => !location.search.includes('from=')")
    assert check_trips(loaded, page) > few
    page.get_by_role("button", name="Undo the last filter").click()
    page.wait_for_url("**from=*")
    page.get_by_role("button", name="Zoom in").click()  # one more run of the page, in which a chart might speak up
    assert check_trips(loaded, page) == few
    assert read_address(page) == seen
    page.get_by_role("button", name="Drop all filters").click()
    expect(see_number(page, "Trips")).to_have_text("100")
    page.wait_for_function("() => location.search === ''")


def test_back_and_forward_through_the_views(loaded: Site, open_tab: OpenTab) -> None:
    page = open_tab()
    open_explore(page, loaded.url)
    charts = page.get_by_test_id("stVegaLiteChart")
    brush(page, charts.nth(0), 0.35, 0.55)
    expect(see_number(page, "Trips")).to_have_text("39")
    brush(page, charts.nth(2), 0.3, 0.6)
    page.wait_for_url("**weekdays=*")
    few = check_trips(loaded, page)
    seen = read_address(page)

    page.go_back()
    expect(see_number(page, "Trips")).to_have_text("39")
    assert read_address(page) == {"from": "2018-05-07", "to": "2018-05-20"}
    page.go_back()
    expect(see_number(page, "Trips")).to_have_text("100")
    assert read_address(page) == {}
    page.go_forward()
    expect(see_number(page, "Trips")).to_have_text("39")
    page.go_forward()
    expect(see_number(page, "Trips")).to_have_text(str(few))
    assert read_address(page) == seen

    page.get_by_role("link", name="Loads").click()
    page.wait_for_url("**/loads*")
    page.get_by_role("link", name="Explore").click()
    expect(see_number(page, "Trips")).to_have_text(str(few))
    assert read_address(page) == seen


def test_a_click_on_a_bar_chooses_it(loaded: Site, open_tab: OpenTab) -> None:
    page = open_tab()
    open_explore(page, loaded.url)
    chart = page.get_by_test_id("stVegaLiteChart").nth(2)
    ground = chart.locator("svg").bounding_box()
    assert ground is not None
    page.mouse.click(ground["x"] + ground["width"] * 0.97 - 10, ground["y"] + 20)
    page.wait_for_url("**weekdays=7")
    check_trips(loaded, page)


def test_a_row_shows_its_flow_on_the_map(loaded: Site, open_tab: OpenTab) -> None:
    page = open_tab()
    open_explore(page, f"{loaded.url}/?region=Turin")
    table = page.get_by_test_id("stDataFrame").bounding_box()
    assert table is not None
    page.mouse.click(table["x"] + 17, table["y"] + 46)
    expect(page.locator(".td-root")).to_have_attribute("data-selected", re.compile(r"^\w+ \w+$"))
    expect(page.get_by_role("button", name="Its trips")).to_be_visible()
    save_picture(page, "explore_row")


def test_the_day_plays_hour_by_hour_unless_less_motion_is_preferred(loaded: Site, open_tab: OpenTab) -> None:
    page = open_tab(motion="no-preference")
    open_explore(page, f"{loaded.url}/?region=Turin")
    page.get_by_role("button", name="Play the day").click()
    page.wait_for_url("**play=day*")
    hours = {page.wait_for_selector(f".td-root[data-hour='{hour}']").get_attribute("data-hour") for hour in (2, 3)}
    assert hours == {"2", "3"}
    page.get_by_role("button", name="Pause").click()

    still = open_tab()
    open_explore(still, f"{loaded.url}/?region=Turin&play=day&hours=6-10")
    root = still.locator(".td-root")
    expect(root).to_have_attribute("data-hour", "6")
    still.get_by_role("slider", name="Hour of the day").press("ArrowRight")
    expect(root).to_have_attribute("data-hour", "7")
    expect(still.get_by_role("button", name="Play", exact=True)).to_be_visible()
    save_picture(still, "explore_play")
    still.get_by_role("button", name="Stop playing the day").click()
    expect(root).to_have_attribute("data-hour", "")


@pytest.mark.parametrize(("label", "extension"), [("CSV", "csv"), ("GeoJSON", "geojson")])
def test_an_export_says_what_the_api_says(loaded: Site, open_tab: OpenTab, label: str, extension: str) -> None:
    page = open_tab()
    asked = "region=Turin&bbox=7.5,45,7.7,45.1&end=either"
    open_explore(page, f"{loaded.url}/?{asked}")
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as download:
        page.get_by_role("button", name=f"Trip groups as {label}").click()
    text = download.value.path().read_text(encoding="utf-8")
    assert download.value.suggested_filename == f"trip_groups.{extension}"
    groups = loaded.hub.get(f"/api/v1/trip-groups?{asked}&limit=500").json()["groups"]
    if label == "CSV":
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
        assert [(row["origin_cell"], int(row["trips"])) for row in rows] == [
            (each["origin_cell"], each["trips"]) for each in groups
        ]
    else:
        features = json.loads(text)["features"]
        assert [feature["properties"]["origin_cell"] for feature in features] == [each["origin_cell"] for each in groups]
    assert len(groups) == 27


def test_the_map_as_a_file_shows_the_flows_and_asks_nobody(loaded: Site, open_tab: OpenTab, tmp_path: Path) -> None:
    page = open_tab("dark")
    open_explore(page, f"{loaded.url}/?region=Turin&bbox=7.6,45,7.7,45.1&end=either")
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Map as one HTML file").click()
    assert download.value.suggested_filename == "tripdeck-map.html"
    file = tmp_path / "map.html"
    download.value.save_as(file)

    reader = open_tab()
    asked: list[str] = []
    reader.on("request", lambda request: asked.append(request.url))
    reader.goto(file.as_uri())
    reader.wait_for_function("() => deckInstance.layerManager?.getLayers().every((layer) => layer.isLoaded)")
    drawn = reader.evaluate(
        """() => {
            const { width, height } = deckInstance;
            const pick = (id) => deckInstance.pickObjects({ x: 0, y: 0, width, height, layerIds: [id] }).length;
            const layers = deckInstance.layerManager.getLayers().map((layer) => layer.id);
            return { flows: pick('flows'), places: pick('places'), layers };
        }"""
    )
    assert drawn["flows"] > 5, drawn
    assert drawn["places"] > 5, drawn
    assert drawn["layers"] == ["density", "box", "flows", "places"]
    expect(reader.get_by_role("heading")).to_have_text("Trips that start or end in the box, region Turin", timeout=5_000)
    expect(reader.get_by_text("bend apart")).to_be_visible()
    ground = reader.locator("canvas").evaluate("canvas => getComputedStyle(canvas).backgroundColor")
    assert ground == "rgb(23, 29, 37)", "the theme of the page it was taken from"
    OUTPUT.mkdir(exist_ok=True)
    reader.screenshot(path=OUTPUT / "map_page_dark.png")
    check_accessible(reader, "body")
    assert asked == [file.as_uri()], "one file, and nothing else"
