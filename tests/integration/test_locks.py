"""The locks against the package index: a hash for every file, and wheels for every platform that README names."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from infra.bootstrap import COMPILE, LOCKS, UV, index_environment

# macOS 14 is the oldest that all wheels take; Intel Macs and Windows lack some.
PLATFORMS = {
    "x86_64-unknown-linux-gnu": {},
    "aarch64-unknown-linux-gnu": {},
    "aarch64-apple-darwin": {"MACOSX_DEPLOYMENT_TARGET": "14.0"},
}
PYTHONS = ("3.11", "3.12", "3.13", "3.14")


def run_uv(*arguments: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run uv against the package index; without a network the test is skipped at home and fails in CI."""
    done = subprocess.run(
        [UV, "pip", *arguments], env={**index_environment(), **(environment or {})}, capture_output=True, text=True, check=False
    )
    if done.returncode and "error sending request" in done.stderr and os.environ.get("CI") != "true":
        pytest.skip("no package index can be reached")
    return done


def count_hashes(text: str) -> dict[str, int]:
    """Count the hashes of each requirement: name==version → hashes."""
    blocks = re.split(r"\n(?=\S)", text.strip())
    return {block.split()[0]: block.count("--hash=sha256:") for block in blocks if "==" in block.split()[0]}


def find_incomplete(locked: dict[str, int], published: dict[str, int]) -> list[str]:
    """List the packages of which the index has several files and the lock one."""
    return [name for name, count in locked.items() if count == 1 and published.get(name, 1) > 1]


def test_a_package_with_several_files_has_several_hashes(tmp_path: Path) -> None:
    locked: dict[str, int] = {}
    pins = set()
    for path in LOCKS.glob("*.txt"):
        text = path.read_text(encoding="utf-8")
        locked |= {name: min(count, locked.get(name, count)) for name, count in count_hashes(text).items()}
        pins |= {line.removesuffix(" \\") for line in text.splitlines() if re.match(r"[a-z0-9.-]+==", line)}
    source = tmp_path / "pins.in"
    source.write_text("\n".join(sorted(pins)), encoding="utf-8")
    done = run_uv("compile", *COMPILE, "--no-deps", str(source))
    assert done.returncode == 0, done.stderr
    published = count_hashes(done.stdout)
    assert set(locked) <= set(published)
    assert find_incomplete(locked, published) == []


def test_a_lock_with_one_hash_of_several_is_seen() -> None:
    text = "tornado==6.6.1 \\\n    --hash=sha256:0a\npydeck==0.9.3 \\\n    --hash=sha256:1b \\\n    --hash=sha256:2c\n"
    assert count_hashes(text) == {"tornado==6.6.1": 1, "pydeck==0.9.3": 2}
    assert find_incomplete(count_hashes(text), {"tornado==6.6.1": 3, "pydeck==0.9.3": 2}) == ["tornado==6.6.1"]


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("python", PYTHONS)
def test_the_locks_have_wheels_for_every_platform(python: str, platform: str, tmp_path: Path) -> None:
    done = run_uv(
        "install",
        "--dry-run",
        "--quiet",
        "--require-hashes",
        f"--target={tmp_path}",
        "--only-binary=:all:",
        f"--python-version={python}",
        f"--python-platform={platform}",
        f"--requirements={LOCKS / 'dev.txt'}",
        environment=PLATFORMS[platform],
    )
    assert done.returncode == 0, done.stderr
