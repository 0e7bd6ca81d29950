"""The flow map in a real browser: every way to make, change and clear a box, what Python hears, and what the page must not do."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.acceptance.component_page import (
    OUTPUT,
    Watch,
    check_accessible,
    chromium,
    page,
    save_screenshot,
    serve_page,
    wait_for_frames,
    watch,
)
from tests.acceptance.tile_archive import make_archive, serve_archive

__all__ = ["chromium", "page", "watch"]

pytestmark = pytest.mark.browser

READY = ".td-root[data-ready]"
LINKED_BOX = "9.95,53.52,10.05,53.58"


@pytest.fixture(scope="module")
def map_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    yield from serve_page("flowmap_app.py", tmp_path_factory.mktemp("flowmap"))


def open_map(page: Page, url: str) -> Locator:
    page.goto(url)
    page.wait_for_selector(READY)
    return page.locator(".td-host")


def place(host: Locator, across: float, down: float) -> tuple[float, float]:
    box = host.bounding_box()
    assert box is not None
    return box["x"] + box["width"] * across, box["y"] + box["height"] * down


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2, steps=3)
    page.mouse.move(*end, steps=3)
    page.mouse.up()


def handle_point(page: Page, handle: str) -> tuple[float, float]:
    box = page.locator(f"[data-handle={handle}]").bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def read_box(page: Page) -> list[float]:
    """The box that the map shows."""
    text = page.locator(".td-root").get_attribute("data-box") or ""
    return [float(edge) for edge in text.split(",")] if text else []


def wait_for_python(page: Page) -> list[float]:
    """Wait until Python has the box that the map shows."""
    text = page.locator(".td-root").get_attribute("data-box")
    expect(page.get_by_text(f"BOX {trim(text)}", exact=True)).to_be_visible()
    return read_box(page)


def trim(text: str | None) -> str:
    return ",".join(f"{float(edge):.7f}".rstrip("0").rstrip(".") for edge in text.split(",")) if text else "none"


def draw_box(page: Page, host: Locator) -> list[float]:
    page.get_by_role("button", name="Draw box").click()
    drag(page, place(host, 0.35, 0.3), place(host, 0.6, 0.7))
    return wait_for_python(page)


def test_draw_resize_move_pan_clear_and_shift_drag(page: Page, map_url: str) -> None:
    host = open_map(page, map_url)
    west, south, east, north = draw_box(page, host)
    assert 9.3 < west < 9.99 < east < 10.7
    assert 53.3 < south < 53.55 < north < 53.8
    assert page.get_by_role("button", name="Draw box").get_attribute("aria-pressed") == "false"

    corner = handle_point(page, "se")
    drag(page, corner, (corner[0] + 60, corner[1] + 30))
    resized = wait_for_python(page)
    assert (resized[0], resized[3]) == (west, north)
    assert resized[2] > east
    assert resized[1] < south

    edge = handle_point(page, "w")
    drag(page, edge, (edge[0] - 40, edge[1] + 25))
    widened = wait_for_python(page)
    assert widened[1:] == resized[1:]
    assert widened[0] < resized[0]

    drag(page, place(host, 0.5, 0.5), place(host, 0.45, 0.45))
    moved = wait_for_python(page)
    assert moved[2] - moved[0] == pytest.approx(widened[2] - widened[0], abs=1e-5)
    assert moved[0] < widened[0]

    before = page.locator(".td-box").bounding_box()
    drag(page, place(host, 0.9, 0.9), place(host, 0.8, 0.8))  # a plain drag pans: the box goes with the ground
    after = page.locator(".td-box").bounding_box()
    assert before is not None
    assert after is not None
    assert after["x"] < before["x"] - 50
    assert read_box(page) == moved

    page.get_by_role("button", name="Clear area").click()
    assert wait_for_python(page) == []
    expect(page.locator(".td-box")).to_be_hidden()

    page.keyboard.down("Shift")
    drag(page, place(host, 0.2, 0.3), place(host, 0.4, 0.5))
    page.keyboard.up("Shift")
    assert len(wait_for_python(page)) == 4


def test_keys(page: Page, map_url: str) -> None:
    host = open_map(page, map_url)
    draw = page.get_by_role("button", name="Draw box")
    draw.focus()
    page.keyboard.press("Enter")
    first = wait_for_python(page)
    assert len(first) == 4

    page.keyboard.press("ArrowRight")
    moved = wait_for_python(page)
    assert moved[0] > first[0]
    assert (moved[1], moved[3]) == (first[1], first[3])

    page.locator("[data-handle=ne]").focus()
    page.keyboard.press("ArrowUp")
    resized = wait_for_python(page)
    assert resized[3] > moved[3]
    assert resized[:3] == moved[:3]

    draw.click()
    page.mouse.move(*place(host, 0.1, 0.5))
    page.mouse.down()
    page.mouse.move(*place(host, 0.2, 0.6), steps=3)
    page.keyboard.press("Escape")
    page.mouse.up()
    assert read_box(page) == resized

    page.locator(".td-box").focus()
    page.keyboard.press("Delete")
    assert wait_for_python(page) == []


def test_python_sets_the_box(page: Page, map_url: str) -> None:
    host = open_map(page, map_url)
    draw_box(page, host)
    page.get_by_role("button", name="Set from Python").click()
    expect(page.locator(".td-root")).to_have_attribute("data-box", "9.9,53.5,10,53.6")


def test_a_link_brings_the_box_back_and_it_can_be_cleared(page: Page, map_url: str) -> None:
    open_map(page, f"{map_url}/?bbox={LINKED_BOX}")
    assert wait_for_python(page) == [9.95, 53.52, 10.05, 53.58]
    page.get_by_role("button", name="Clear area").click()
    expect(page.get_by_text("BOX none", exact=True)).to_be_visible()
    expect(page).not_to_have_url(f"{map_url}/?bbox={LINKED_BOX}")


def test_touch_draws(chromium: Browser, watch: Watch, map_url: str) -> None:
    context = chromium.new_context(viewport={"width": 900, "height": 800}, has_touch=True, reduced_motion="reduce")
    tab = context.new_page()
    watch.follow(tab)
    host = open_map(tab, map_url)
    tab.get_by_role("button", name="Draw box").click()
    session = context.new_cdp_session(tab)
    for kind, across, down in (("Start", 0.3, 0.3), ("Move", 0.4, 0.45), ("Move", 0.6, 0.6)):
        x, y = place(host, across, down)
        session.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": [{"x": x, "y": y}]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert len(wait_for_python(tab)) == 4
    context.close()


def find_flow(page: Page, host: Locator) -> None:
    """Move the pointer over the box, below which the flows lie, until it is on one."""
    tip = page.locator(".td-tip")
    for step in range(80):
        page.mouse.move(*place(host, 0.52 + step * 0.001, 0.45 + step * 0.002))
        wait_for_frames(page)  # what lies under the pointer is found in the first, shown in the second
        if tip.is_visible() and "→" in tip.inner_text():
            return
    pytest.fail("no flow under the pointer")


def test_flows_are_drawn_and_a_click_selects_one(page: Page, map_url: str) -> None:
    host = open_map(page, f"{map_url}/?bbox={LINKED_BOX}")
    assert int(page.locator(".td-root").get_attribute("data-flows") or 0) > 100
    assert page.locator(".td-root").get_attribute("data-flow-scale") == "500"
    expect(page.locator(".td-legend")).to_contain_text("500 or more")
    find_flow(page, host)
    save_screenshot(page, "flowmap_hover")
    box = read_box(page)
    page.mouse.down()
    page.mouse.up()
    expect(page.get_by_text("PICK FlowPick(")).to_be_visible()
    assert read_box(page) == box
    save_screenshot(page, "flowmap_selected")


def test_a_small_pan_asks_python_nothing(page: Page, map_url: str) -> None:
    host = open_map(page, map_url)
    expect(page.get_by_text("VIEW 9.")).to_be_visible()
    runs = page.get_by_text("RUNS ").inner_text()
    drag(page, place(host, 0.9, 0.85), place(host, 0.85, 0.8))
    page.wait_for_timeout(1_000)  # longer than the pause before a report: nothing is the thing waited for
    assert page.get_by_text("RUNS ").inner_text() == runs
    view = page.get_by_text("VIEW 9.").inner_text()
    page.locator(".maplibregl-ctrl-zoom-out").click()
    expect(page.get_by_text(view, exact=True)).to_be_hidden()


def test_across_the_antimeridian(page: Page, map_url: str) -> None:
    host = open_map(page, f"{map_url}/?city=fiji")
    page.get_by_role("button", name="Draw box").click()
    drag(page, place(host, 0.3, 0.3), place(host, 0.7, 0.7))
    west, _, east, _ = wait_for_python(page)
    assert 179 < west < 180
    assert -180 < east < -179
    save_screenshot(page, "flowmap_antimeridian")


def test_picture_is_saved_over_an_operators_own_base_map(page: Page, map_url: str) -> None:
    open_map(page, f"{map_url}/?bbox={LINKED_BOX}&style=own")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save picture").click()
    path = download.value.path()
    assert path.read_bytes().startswith(b"\x89PNG")
    assert path.stat().st_size > 50_000
    OUTPUT.mkdir(exist_ok=True)
    download.value.save_as(OUTPUT / "flowmap_picture.png")


@pytest.mark.parametrize(("theme", "water", "land"), [("light", "#d6e1e8", "#f6f5f1"), ("dark", "#0b1016", "#171d25")])
def test_an_operators_archive_is_the_base_map(page: Page, map_url: str, theme: str, water: str, land: str) -> None:
    """Around Fiji the archive has neither water nor roads, around Hamburg water only."""
    page.emulate_media(color_scheme="light" if theme == "light" else "dark", reduced_motion="reduce")
    with serve_archive(make_archive()) as (url, asked):
        for city, color in (("hamburg", water), ("fiji", land)):
            host = open_map(page, f"{map_url}/?city={city}&archive={url}")
            assert read_color(page, *place(host, 0.02, 0.5)) == color
            save_screenshot(page, f"flowmap_archive_{city}_{theme}")
    assert asked
    assert all(each.startswith("bytes=") for each in asked)


def test_an_archive_that_cannot_be_read_leaves_the_offline_map(page: Page, map_url: str) -> None:
    with serve_archive(b"no archive" * 20) as (url, _):
        open_map(page, f"{map_url}/?archive={url}")
        expect(page.locator(".td-message")).to_contain_text(f"The base map {url} could not be read")


def read_color(page: Page, x: float, y: float) -> str:
    """Colour of the page's picture at a point."""
    shot = page.screenshot(clip={"x": x, "y": y, "width": 1, "height": 1})
    return page.evaluate(
        """async (bytes) => {
            const picture = await createImageBitmap(new Blob([new Uint8Array(bytes)]));
            const pen = new OffscreenCanvas(1, 1).getContext('2d');
            pen.drawImage(picture, 0, 0);
            const channels = [...pen.getImageData(0, 0, 1, 1).data.slice(0, 3)];
            return '#' + channels.map((each) => each.toString(16).padStart(2, '0')).join('');
        }""",
        list(shot),
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_themes(page: Page, map_url: str, theme: str) -> None:
    page.emulate_media(color_scheme="light" if theme == "light" else "dark", reduced_motion="reduce")
    open_map(page, f"{map_url}/?bbox={LINKED_BOX}")
    assert page.locator(".td-root").get_attribute("data-theme") == theme
    check_accessible(page, ".stMain")
    save_screenshot(page, f"flowmap_{theme}")
