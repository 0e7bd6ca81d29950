"""The wheel as its user has it: built here, installed beside the locked packages, and run away from the repository."""

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from shared.services.named_queries import SQL_DIR, list_queries
from ui.components.build import ASSETS, build_components

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = {"tripdeck", "tripdeck-hub", "tripdeck-migrate", "tripdeck-ui", "tripdeck-worker"}
# Everything that a console script starts, and the files it reads beside its own modules.
LOOK = """
import json, importlib
from importlib import metadata, resources
found = metadata.distribution("tripdeck")
points = [point for point in found.entry_points if point.group == "console_scripts"]
from shared.services.named_queries import SQL_DIR, list_queries
print(json.dumps({
    "scripts": {point.name: importlib.import_module(point.module).__file__ for point in points if callable(point.load())},
    "queries": sorted(list_queries()),
    "sql": sorted(str(path.relative_to(SQL_DIR)) for path in SQL_DIR.rglob("*.*") if path.suffix != ".pyc"),
    "assets": sorted(path.name for path in resources.files("tripdeck").joinpath("assets").iterdir()),
    "metadata": [str(file) for file in found.files if ".dist-info/" in str(file)],
}))
"""


class Installed(NamedTuple):
    """A wheel and an environment that has it."""

    wheel: Path
    bin_dir: Path

    def run(self, *command: str) -> str:
        """Run a program of the environment in an empty folder; gives what it prints."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
        done = subprocess.run(
            [self.bin_dir / command[0], *command[1:]],
            cwd=self.bin_dir,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    build_components()
    folder = tmp_path_factory.mktemp("wheel")
    uv = [Path(sys.executable).with_name("uv"), "--quiet", "--offline", "--no-config"]
    subprocess.run([*uv, "build", "--wheel", "--no-build-isolation", "--python", sys.executable, "-o", folder, ROOT], check=True)
    [wheel] = folder.glob("*.whl")
    venv.create(folder / "venv")
    python = folder / "venv" / "bin" / "python"
    subprocess.run([*uv, "pip", "install", "--no-deps", "--python", python, wheel], check=True)
    # A path in a .pth file gives the packages there, but not this repository, which another .pth file there names.
    [own] = (folder / "venv" / "lib").glob("python*/site-packages")
    (own / "locked.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return Installed(wheel, python.parent)


@pytest.fixture(scope="module")
def seen(installed: Installed) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(installed.run("python", "-c", LOOK))
    return document


def test_its_command_line_runs(installed: Installed) -> None:
    assert installed.run("tripdeck", "--version").startswith("tripdeck ")
    assert "weekly" in installed.run("tripdeck", "--help")


def test_its_scripts_come_from_it(installed: Installed, seen: dict[str, Any]) -> None:
    assert set(seen["scripts"]) == SCRIPTS
    assert all(Path(file).is_relative_to(installed.bin_dir.parent) for file in seen["scripts"].values())


def test_its_queries_and_migrations_are_there(seen: dict[str, Any]) -> None:
    assert seen["queries"] == sorted(list_queries())
    assert seen["sql"] == sorted(str(path.relative_to(SQL_DIR)) for path in SQL_DIR.rglob("*.*") if path.suffix != ".pyc")
    assert "alembic/env.py" in seen["sql"]


def test_streamlit_finds_the_components(seen: dict[str, Any]) -> None:
    assert seen["assets"] == sorted(path.name for path in ASSETS.iterdir())
    assert {Path(name).name for name in seen["metadata"]} >= {"METADATA", "pyproject.toml", "LICENSE"}


def test_it_holds_nothing_that_only_developers_need(installed: Installed) -> None:
    with zipfile.ZipFile(installed.wheel) as archive:
        names = archive.namelist()
    rooms = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    assert rooms == {"infra", "loader", "shared", "sql", "tripdeck", "ui"}
    assert [
        name for name in names if "node_modules" in name or "/src/" in name or "/test/" in name or "__pycache__" in name
    ] == []
