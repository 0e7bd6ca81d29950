"""One version, that of pyproject.toml: what can't read it agrees with it."""

import re
import tomllib
from importlib.metadata import metadata
from pathlib import Path

import yaml
from typer.testing import CliRunner

from infra.cli import app

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def list_image_tags(path: str) -> list[str]:
    return re.findall(r"image: \S*\btripdeck-\w+:(\S+)", (ROOT / path).read_text(encoding="utf-8"))


def test_images_are_of_this_version() -> None:
    assert list_image_tags("docker-compose.yml") == [PROJECT["version"]] * 2


def test_the_chart_is_of_this_version() -> None:
    chart = yaml.safe_load((ROOT / "infra/helm/Chart.yaml").read_text(encoding="utf-8"))
    assert (chart["version"], chart["appVersion"]) == (PROJECT["version"], PROJECT["version"])


def test_labels_of_images_are_of_this_version() -> None:
    dockerfile = (ROOT / "infra/containers/Dockerfile").read_text(encoding="utf-8")
    assert f"ARG VERSION={PROJECT['version']}\nLABEL org.opencontainers.image.version=${{VERSION}}" in dockerfile


def test_the_installed_package_says_version_and_licence() -> None:
    installed = metadata("tripdeck")
    assert installed["Version"] == PROJECT["version"]
    assert (installed["License-Expression"], installed["License-File"]) == ("MIT", "LICENSE")
    assert "MIT License" in (ROOT / "LICENSE").read_text(encoding="utf-8")


def test_the_command_line_prints_it() -> None:
    printed = CliRunner().invoke(app, ["--version"])
    assert (printed.exit_code, printed.output) == (0, f"tripdeck {PROJECT['version']}\n")
