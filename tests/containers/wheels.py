"""Wheels of the locks for a Python that isn't this one: what an image is built from where its build reaches no package index."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from packaging.markers import Marker, default_environment

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("ui", "loader", "uv", "build")
PLATFORMS = ("manylinux_2_28", "manylinux_2_27", "manylinux_2_26", "manylinux_2_17", "manylinux2014")
PIN = re.compile(r"^(?P<pin>[^\s;]+==[^\s;]+)(?: ; (?P<marker>.+?))?(?P<hashes>(?: \\\n +--hash=\S+)+)$", re.MULTILINE)


def select_requirements(lock: str, python: str) -> str:
    """Give the lines of a lock that are for this version of Python (such as 3.13.5) on Linux, without their markers."""
    environment: dict[str, str] = {**default_environment(), "python_full_version": python}  # type: ignore[dict-item]
    environment["python_version"] = ".".join(python.split(".")[:2])
    wanted = [found for found in PIN.finditer(lock) if not found["marker"] or Marker(found["marker"]).evaluate(environment)]
    return "".join(f"{found['pin']}{found['hashes']}\n" for found in wanted)


def fetch_wheels(folder: Path, *, python: str, machine: str) -> None:
    """Download every locked wheel for this Python and kind of machine (such as x86_64), and build Tripdeck's own.

    They go to packages/ and own/ of the folder: a change of Tripdeck's leaves the layers of the others as they are.
    """
    packages, own = folder / "packages", folder / "own"
    shutil.rmtree(own, ignore_errors=True)
    for made in (packages, own):
        made.mkdir(parents=True, exist_ok=True)
    tag = "".join(python.split(".")[:2])
    options = [
        "--only-binary=:all:",
        "--no-deps",
        "--require-hashes",
        f"--python-version={python}",
        "--implementation=cp",
        f"--abi=cp{tag}",
        "--abi=abi3",
        "--abi=none",
    ]
    options += [f"--platform={platform}_{machine}" for platform in PLATFORMS]
    for name in LOCKS:
        selected = folder / f"{name}-{python}.txt"
        wanted = select_requirements((ROOT / f"infra/locks/{name}.txt").read_text(encoding="utf-8"), python)
        if not selected.exists() or selected.read_text(encoding="utf-8") != wanted:
            draft = selected.with_suffix(".draft")
            draft.write_text(wanted, encoding="utf-8")
            run_pip("download", *options, f"--dest={packages}", f"--requirement={draft}")
            draft.replace(selected)
    run_pip("wheel", "--no-deps", "--no-build-isolation", "--no-index", f"--wheel-dir={own}", str(ROOT))


def run_pip(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "pip", "-qq", "--disable-pip-version-check", *arguments], check=True)
