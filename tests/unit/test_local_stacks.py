"""Stacks are found from any folder; a list that is broken, old or not to be written is no obstacle."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.state import ProcessState, StackState, find_running, remove_state, write_state
from loader.cli.session import find_api_url
from shared.platform.errors import TerminalError
from shared.platform.local_stacks import add_stack, list_stacks
from shared.platform.settings import load_settings


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    return tmp_path


def run_stack(data_dir: Path, *, port: int, pid: int | None = None) -> Path:
    data_dir.mkdir()
    launcher = ProcessState.of("launcher", pid or os.getpid())
    assert launcher is not None
    write_state(data_dir, StackState(launcher, True, f"http://127.0.0.1:{port}", "", "", {}))
    add_stack(data_dir)
    return data_dir


def test_the_only_stack_is_found_from_elsewhere(folders: Path) -> None:
    data_dir = run_stack(folders / "data", port=1234)
    settings = load_settings({})
    state = find_running(settings)
    assert state is not None
    assert state.api_url == find_api_url(settings) == "http://127.0.0.1:1234"
    remove_state(data_dir)
    assert (find_running(settings), list_stacks()) == (None, [])


def test_the_folder_that_is_set_or_lies_here_comes_first(folders: Path) -> None:
    run_stack(folders / "data", port=1)
    run_stack(folders / "elsewhere" / ".tripdeck", port=2)
    here = find_running(load_settings({}))
    assert here is not None
    assert (here.api_url, find_api_url(load_settings({}))) == ("http://127.0.0.1:2", "http://127.0.0.1:2")
    assert find_running(load_settings({"TRIPDECK_DATA_DIR": str(folders / "none")})) is None


def test_of_several_one_has_to_be_named(folders: Path) -> None:
    for number in (1, 2):
        run_stack(folders / f"data {number}", port=number)
    with pytest.raises(TerminalError, match=r"TRIPDECK_DATA_DIR='.*data 1', TRIPDECK_DATA_DIR="):
        find_running(load_settings({}))
    assert find_api_url(load_settings({})) == "http://127.0.0.1:8600"


def test_this_installations_stack_is_meant(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as other:
        other.setattr(sys, "prefix", "/another")
        run_stack(folders / "theirs", port=1)
    run_stack(folders / "ours", port=2)
    assert list_stacks() == [folders / "ours"]


def test_a_stack_that_was_killed_is_none(folders: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    run_stack(folders / "data", port=1, pid=process.pid)
    assert find_running(load_settings({})) is not None
    process.communicate()
    assert find_running(load_settings({})) is None


@pytest.mark.parametrize("content", ["", "{", "{}", "[1]", '[{"data_dir": 1}]', '[{"data_dir": 1, "prefix": 2}]', "null"])
def test_a_broken_list_is_an_empty_one(content: str, folders: Path) -> None:
    path = folders / "state" / "tripdeck" / "stacks.json"
    path.parent.mkdir(parents=True)
    path.write_text(content, encoding="utf-8")
    assert list_stacks() == []
    run_stack(folders / "data", port=1)
    assert [entry["data_dir"] for entry in json.loads(path.read_text(encoding="utf-8"))] == [str(folders / "data")]


def test_a_list_that_cannot_be_written_is_done_without(folders: Path) -> None:
    (folders / "state").write_text("a file", encoding="utf-8")
    run_stack(folders / "data", port=1)
    assert list_stacks() == []
