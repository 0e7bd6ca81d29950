"""The installer: pip's configuration as uv is told it, locks that name no index, secrets and scripts in step."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from infra.bootstrap import EXTRAS, INDEX_SETTINGS, LOCKS, SETS, TOOLS, index_environment, parse_pip_config

ROOT = Path(__file__).parents[2]
LOCK_FILES = sorted(LOCKS.glob("*.txt"))
CONFIG = """\
:env:.find-links='/wheels'
global.extra-index-url='file:///a/simple file:///b/simple'
global.find-links='/other'
global.index-url='https://index.example.org/simple'
install.index-url='https://install.example.org/simple'
list.format='columns'
"""


def read_pins(name: str) -> dict[str, set[str]]:
    """Versions per package: one, or one per range of Python versions."""
    pins: dict[str, set[str]] = {}
    for package, version in re.findall(r"^([a-z0-9.-]+)==([^ ;\\]+)", (LOCKS / f"{name}.txt").read_text(), re.MULTILINE):
        pins.setdefault(package, set()).add(version)
    return pins


def test_the_more_special_of_pip_s_settings_wins() -> None:
    assert parse_pip_config(CONFIG) == {
        "extra-index-url": "file:///a/simple file:///b/simple",
        "find-links": "/wheels",
        "index-url": "https://install.example.org/simple",
    }


def test_locking_asks_the_package_index_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("UV_FIND_LINKS", "UV_INDEX", "UV_DEFAULT_INDEX", "UV_CONSTRAINT", "PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.setenv(name, "file:///wheels")
    environment = index_environment()
    assert environment["UV_NO_CONFIG"] == "1"
    assert {name for name, value in environment.items() if name.startswith("UV_") and "wheels" in value} == set()


def test_an_empty_configuration_gives_nothing() -> None:
    assert parse_pip_config("") == {}


def test_uv_knows_the_variables_that_are_set_for_it() -> None:
    uv = Path(sys.executable).parent / "uv"
    known = subprocess.run([uv, "pip", "install", "--help"], capture_output=True, text=True, check=True).stdout
    for _, variable, _ in INDEX_SETTINGS:
        if variable.startswith("UV_") and variable != "UV_HTTP_TIMEOUT":
            assert f"env: {variable}" in known, variable


@pytest.mark.parametrize("path", LOCK_FILES, ids=lambda path: path.name)
def test_locks_name_no_index_and_have_a_hash_for_every_package(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "://" not in text
    assert "--index" not in text
    for block in re.split(r"\n(?=\S)", text.strip()):
        assert block.startswith("#") or "--hash=sha256:" in block, block.splitlines()[0]


def test_all_sets_are_locked_and_agree_on_versions() -> None:
    assert {path.stem for path in LOCK_FILES} == set(EXTRAS) | set(TOOLS)
    assert set(SETS) <= set(EXTRAS)
    newest = read_pins("dev")
    for name in ("local", "ui", "loader", "build"):
        for package, versions in read_pins(name).items():
            assert versions <= newest.get(package, versions), (name, package)


def test_what_is_installed_is_what_is_locked() -> None:
    assert "tornado" in read_pins("loader")
    installed = subprocess.run(
        [Path(sys.executable).parent / "uv", "pip", "freeze", "--python", sys.executable],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    here = dict(re.findall(r"^([a-z0-9.-]+)==(.+)$", installed, re.MULTILINE))
    locked = read_pins("dev")
    assert {name: version for name, version in here.items() if version not in locked.get(name, {version})} == {}


def test_no_pythons_that_fit_gives_one_line(tmp_path: Path) -> None:
    for name in ("python3", "python"):
        script = tmp_path / name
        script.write_text("#!/bin/sh\nexit 1\n")
        script.chmod(0o755)
    done = subprocess.run(
        ["/bin/sh", "infra/find-python.sh"], cwd=ROOT, env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == "tripdeck: Python 3.11 or newer is needed and was not found; install it first.\n"


def test_a_python_without_venv_is_named_with_the_remedy(tmp_path: Path) -> None:
    script = tmp_path / "python3"
    script.write_text('#!/bin/sh\ncase "$2" in *ensurepip*) exit 1;; *print*) echo 3.12;; esac\n')
    script.chmod(0o755)
    done = subprocess.run(
        ["/bin/sh", "infra/find-python.sh"], cwd=ROOT, env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "apt install python3.12-venv" in done.stderr
    assert done.stderr.count("\n") == 1


def test_ci_runs_make_test_and_nothing_else() -> None:
    lines = [line for line in (ROOT / ".ci/run").read_text().splitlines() if line and not line.startswith("#")]
    assert lines == ["set -eu", 'cd "$(dirname "$0")/.."', "exec make test"]
