"""The browser components' pure parts: their own tests under Node, what Python encodes and reads, and their lock file."""

import json
import subprocess
from pathlib import Path

import pytest

from shared.domain.area import Box
from shared.groups.question import Flow, FlowLocation, FlowMap
from shared.platform.errors import RequestError
from shared.questions.density import CellCount
from ui.components.build import ROOM, BuildError, find_node
from ui.flowmap import FlowPick, LocationPick, MapState, Viewport, encode_content, read_map_state

FLOW_MAP = FlowMap(
    locations=(
        FlowLocation("u1", "Altona", 9.123456789, 53.5, 7, 40, 0),
        FlowLocation("u2", "2.1 km N of Altona", 10.0, 53.6, 40, 7, 3),
    ),
    flows=(Flow("u1", "u2", 40), Flow("u2", "u1", 7), Flow("u2", "u2", 3)),
    trips=60,
    shown_trips=50,
    precision=6,
)


def test_javascript() -> None:
    node, _ = find_node()
    files = sorted(str(path) for room in ("flowmap", "transfer") for path in (ROOM / room / "test").glob("*.test.js"))
    assert len(files) >= 6
    done = subprocess.run([node, "--test", *files], capture_output=True, text=True, check=False, cwd=ROOM)
    assert done.returncode == 0, done.stdout


def test_lock_file_pins_every_package_and_names_no_address() -> None:
    lock = json.loads((ROOM / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert len(packages) > 100
    assert [name for name, package in packages.items() if not package.get("integrity")] == []
    assert [name for name, package in packages.items() if "resolved" in package] == []


def test_without_node_the_reason_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(BuildError, match="Node 20 or newer"):
        find_node()


def test_flows_name_their_ends_by_number_the_smallest_first() -> None:
    columns = json.loads(encode_content(FLOW_MAP).flows)
    assert columns["flows"] == {"origin": [1, 1, 0], "destination": [1, 0, 1], "trips": [3, 7, 40]}
    assert columns["locations"]["id"] == ["u1", "u2"]
    assert columns["locations"]["longitude"] == [9.12346, 10.0]
    assert columns["locations"]["internal_trips"] == [0, 3]


def test_fifty_thousand_flows_stay_below_two_megabytes() -> None:
    names = [f"u{number:05}" for number in range(5_000)]
    locations = tuple(FlowLocation(name, "1.4 km NE of Venaria Reale", 9.12345, 53.54321, 1234, 1234, 12) for name in names)
    flows = tuple(Flow(names[i % 5_000], names[i * 7 % 5_000], 1 + i % 3_000) for i in range(50_000))
    content = encode_content(FlowMap(locations, flows, 1, 1, 6))
    assert len(json.dumps(content.flows)) < 2_000_000


def test_density_says_how_large_its_cells_are() -> None:
    cells = [CellCount(x * 0.02, y * 0.01, 1 + x) for x in range(3) for y in (0, 5, 6)]
    density = json.loads(encode_content(FLOW_MAP, cells).density or "")
    assert density["cell"] == pytest.approx([0.02, 0.01])
    assert density["trips"] == [1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert encode_content(FLOW_MAP).density is None


def test_map_state_is_read() -> None:
    view = {"longitude": 9.0, "latitude": 53.0, "zoom": 10.5, "bounds": [170, -20, -170, -10]}
    raw = {
        "bbox": {"v": [7.5, 45.0, 7.7, 45.1], "seq": 12},
        "viewport": {"v": view, "seq": 13},
        "picked": {"v": {"origin": "u1", "destination": "u2"}, "seq": 14},
    }
    state = read_map_state(raw)
    assert state.box == Box(7.5, 45.0, 7.7, 45.1)
    assert state.box_seq == 12
    assert state.viewport == Viewport(9.0, 53.0, 10.5, Box(170, -20, -170, -10))
    assert state.viewport.to_json() == view
    assert state.picked == FlowPick("u1", "u2")


def test_a_cleared_box_differs_from_none_yet() -> None:
    assert read_map_state(None) == MapState()
    assert read_map_state({"bbox": {"v": None, "seq": 5}}) == MapState(box_seq=5)


def test_a_clicked_place_and_a_box_off_the_globe() -> None:
    assert read_map_state({"picked": {"v": {"location": "u1"}, "seq": 1}}).picked == LocationPick("u1")
    with pytest.raises(RequestError):
        read_map_state({"bbox": {"v": [200, 0, 210, 1], "seq": 1}})
