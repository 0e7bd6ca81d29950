"""The workflows: valid by GitHub's schemas, which come with the package check-jsonschema, and about what is here."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
DEPENDABOT = ROOT / ".github/dependabot.yml"


def check(schema: str, *files: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "check_jsonschema", f"--builtin-schema=vendor.{schema}", *map(str, files)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_workflows_are_valid() -> None:
    assert {path.stem for path in WORKFLOWS} >= {"audit", "ci", "release"}
    done = check("github-workflows", *WORKFLOWS)
    assert done.returncode == 0, done.stdout


def test_dependabot_s_file_is_valid() -> None:
    done = check("dependabot", DEPENDABOT)
    assert done.returncode == 0, done.stdout


def test_the_schema_sees_a_misspelt_key(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yml"
    broken.write_text(WORKFLOWS[0].read_text(encoding="utf-8").replace("runs-on:", "run-on:"), encoding="utf-8")
    assert check("github-workflows", broken).returncode == 1


def test_folders_that_dependabot_looks_into_exist() -> None:
    updates: list[dict[str, Any]] = yaml.safe_load(DEPENDABOT.read_text(encoding="utf-8"))["updates"]
    folders = [folder for update in updates for folder in update.get("directories", [update.get("directory")])]
    assert [folder for folder in folders if not (ROOT / folder.lstrip("/")).is_dir()] == []


def list_commands() -> list[str]:
    jobs = [job for path in WORKFLOWS for job in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values()]
    return [step["run"] for job in jobs for step in job["steps"] if "run" in step]


def test_targets_and_files_of_the_commands_exist() -> None:
    commands = "\n".join(list_commands())
    targets = {target for line in re.findall(r"\bmake ([a-z -]+)", commands) for target in line.split()}
    known = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert {"check", "test-containers"} <= targets <= known
    files = re.findall(r"(?:infra|tests|\.ci)/[\w./-]+", commands)
    assert "infra/locks/ui.txt" in files
    assert [name for name in files if not (ROOT / name).exists()] == []


def test_every_supported_python_is_checked() -> None:
    matrix = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))["jobs"]["check"]["strategy"][
        "matrix"
    ]
    oldest = re.search(r'requires-python = ">=([\d.]+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert oldest is not None
    assert matrix["python"][0] == oldest[1]
    versions = [tuple(map(int, version.split("."))) for version in matrix["python"]]
    assert versions == [(3, minor) for minor in range(versions[0][1], versions[-1][1] + 1)]
