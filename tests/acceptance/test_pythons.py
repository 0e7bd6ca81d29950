"""Every other Python of this machine: a copy of the project installs there and passes its unit tests; the newest brings it up."""

import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.embedded import find_free_ports
from infra.embedded.postgres import remove_data
from infra.embedded.program import make_tie
from tests.shared_data import SHARED

ROOT = Path(__file__).resolve().parents[2]
OLDEST = (3, 11)
LONGEST_S = 1_800  # 300 MB of packages over a slow line, kernels to compile, then the tests
# What tells the programs of this test run apart from those of the copy.
OWN = ("VIRTUAL_ENV", "PYTHONPATH", "PYTEST_", "TRIPDECK_", "COV_")


def read_version(python: Path) -> tuple[int, int] | None:
    """Read which Python it is; None when it doesn't run or can't make virtual environments."""
    code = "import ensurepip, venv, sys; print(*sys.version_info[:2])"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    major, minor = map(int, done.stdout.split()) if done.returncode == 0 else (0, 0)
    return (major, minor) if (major, minor) >= OLDEST else None


def find_pythons() -> dict[tuple[int, int], Path]:
    """Find one Python of each version on the path and among pyenv's."""
    folders = [Path(folder) for folder in os.get_exec_path()]
    folders += sorted(Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")).glob("versions/*/bin"))
    candidates = (path for folder in folders if folder.is_dir() for path in sorted(folder.glob("python3.[0-9][0-9]")))
    found: dict[tuple[int, int], Path] = {}
    for path in candidates:
        version = read_version(path)
        if version is not None:
            found.setdefault(version, path)
    return found


PYTHONS = find_pythons()
OTHERS = sorted(set(PYTHONS) - {sys.version_info[:2]})


def copy_project(target: Path) -> None:
    """Copy what git knows or would add: the project as a clone of the next commit has it."""
    listed = subprocess.run(["git", "ls-files", "-zco", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, listed.decode().split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)


def start_make(folder: Path, target: str, environment: dict[str, str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        ["make", target],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=make_tie(signal.SIGTERM),  # noqa: PLW1509 - a killed test run leaves nothing that runs
    )


def make_environment(python: Path, folder: Path) -> dict[str, str]:
    """Give a newcomer's environment, with a Python of choice and a data folder and ports of its own."""
    hub_port, ui_port = find_free_ports(2)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(OWN)}
    return inherited | {
        "PYTHON": str(python),
        "TRIPDECK_DATA_DIR": str(folder / "data"),
        "TRIPDECK_HUB_PORT": str(hub_port),
        "TRIPDECK_UI_PORT": str(ui_port),
    }


@pytest.fixture
def folders(tmp_path: Path) -> Iterator[dict[tuple[int, int], Path]]:
    """A copy of the project for each other Python, that nobody has installed yet; removed afterwards: 1.5 GB each."""
    copies = {version: tmp_path / "{}.{}".format(*version) for version in OTHERS}
    for folder in copies.values():
        copy_project(folder)
    yield copies
    for folder in copies.values():
        remove_data(folder / "data" / "postgres")
        shutil.rmtree(folder)


@pytest.mark.timeout(LONGEST_S)
def test_other_pythons_pass_the_unit_tests_and_the_newest_brings_all_up(folders: dict[tuple[int, int], Path]) -> None:
    environments = {version: make_environment(PYTHONS[version], folder) for version, folder in folders.items()}
    failed = {}
    for version, process in [(version, check(folder, environments[version])) for version, folder in folders.items()]:
        output = process.communicate()[0]
        assert read_version(folders[version] / ".venv/bin/python") == version
        if process.returncode:
            failed[version] = output[-8_000:]
    assert failed == {}
    newest = max(PYTHONS)
    if newest in folders:
        check_stack(folders[newest], environments[newest])


def check(folder: Path, environment: dict[str, str]) -> "subprocess.Popen[str]":
    """Begin to install and to run the unit tests; lint and types are the same under every Python."""
    settings = {name: value for name, value in environment.items() if not name.startswith("TRIPDECK_")}
    return start_make(folder, "unit", settings | {"TRIPDECK_TEST_SHARED": SHARED})


def check_stack(folder: Path, environment: dict[str, str]) -> None:
    """Bring everything up by the README's first command, ask for a weekly average, and stop it."""
    launcher = start_make(folder, "up", environment)
    assert launcher.stdout is not None
    output = ""
    for line in launcher.stdout:
        output += line
        if line.startswith("Ctrl-C"):
            break
    else:
        pytest.fail(f"make up ended: {output}")
    address = f"http://127.0.0.1:{environment['TRIPDECK_HUB_PORT']}/api/v1/weekly-average"
    with urllib.request.urlopen(address, timeout=30) as answer:
        assert "weekly_average" in json.load(answer)
    stopped = start_make(folder, "down", environment)
    told = stopped.communicate(timeout=60)[0]
    assert stopped.returncode == 0, told
    launcher.communicate(timeout=60)
    assert launcher.returncode == 0


def test_the_machine_s_pythons_are_found() -> None:
    assert sys.version_info[:2] in PYTHONS
