"""Make .venv from the hash-locked requirements; standard library only, so that any Python 3.11 or newer can run it.

    python3 infra/bootstrap.py local     what `make up` needs
    python3 infra/bootstrap.py dev       that and what tests need
    python3 infra/bootstrap.py lock      lock again after a change in pyproject.toml (add --upgrade for newer versions)
    python3 infra/bootstrap.py audit     known vulnerabilities of the locked packages, and a bill of materials

Does nothing when the installed set is the locked one. Packages come from wherever pip is configured to look: uv, which does
the work because it is fast, is told pip's configuration; no index is named here.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
VENV: Final = ROOT / ".venv"
PYTHON: Final = VENV / "bin" / "python"
UV: Final = VENV / "bin" / "uv"
LOCKS: Final = ROOT / "infra" / "locks"
STAMP: Final = VENV / ".tripdeck-installed"
# A set includes the ones named after it: what satisfies the first satisfies the others.
SETS: Final[Mapping[str, tuple[str, ...]]] = {"local": ("dev", "local"), "dev": ("dev",)}
EXTRAS: Final[Mapping[str, tuple[str, ...]]] = {
    "dev": ("--extra=dev",),
    "local": ("--extra=local",),
    "ui": ("--extra=ui",),
    "loader": ("--extra=tracing",),
}
# Locked from a .in file of their own: what builds the wheel, the installer, and what audits the locks.
TOOLS: Final = ("build", "uv", "audit")
BILL: Final = "tripdeck.cdx.json"
COMPILE: Final = ("--universal", "--python-version=3.11", "--generate-hashes", "--no-annotate", "--no-header", "--quiet")

# pip's name of an option, uv's variable for it, what separates several values there. First: how an index is reached.
NETWORK_SETTINGS: Final = (
    ("cert", "SSL_CERT_FILE", " "),
    ("trusted-host", "UV_INSECURE_HOST", " "),
    ("proxy", "ALL_PROXY", " "),
    ("timeout", "UV_HTTP_TIMEOUT", " "),
)
INDEX_SETTINGS: Final = (
    ("index-url", "UV_DEFAULT_INDEX", " "),
    ("extra-index-url", "UV_INDEX", " "),
    ("find-links", "UV_FIND_LINKS", ","),
    *NETWORK_SETTINGS,
)


class BootstrapError(Exception):
    """What keeps .venv from being made, in one line."""


def install(wanted: str) -> None:
    """Install a set unless it, or one that includes it, is installed already."""
    with _hold_lock():
        current = {name: _stamp_of(name) for name in SETS[wanted]}
        found = STAMP.read_text(encoding="utf-8") if STAMP.exists() else ""
        if found in current.values() and _works():
            return
        _say(f"Installing the locked packages ({wanted}) into .venv …")
        STAMP.unlink(missing_ok=True)
        _ensure_uv()
        files = [str(LOCKS / f"{name}.txt") for name in (wanted, "build", "uv")]
        _run_uv("pip", "sync", "--quiet", "--require-hashes", *files)
        _run_uv("pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--editable", str(ROOT))
        # Compiled now, for 25 s, so that first start, file and box needn't wait.
        _run([str(PYTHON), "-m", "infra.compile_kernels"])
        STAMP.write_text(current[wanted], encoding="utf-8")


def lock(arguments: list[str]) -> None:
    """Resolve every set again, all with the versions of dev, each package with the hash of every file that its index has."""
    _ensure_uv()
    pin = ("--constraint", str(LOCKS / "dev.txt"))
    for name, extras in EXTRAS.items():
        _compile_lock(name, ROOT / "pyproject.toml", [*extras, *(() if name == "dev" else pin), *arguments])
    for name in TOOLS:
        _compile_lock(name, LOCKS / f"{name}.in", [*pin, *arguments])


def _compile_lock(name: str, source: Path, options: list[str]) -> None:
    """Write one lock. It begins with the versions of the last one but none of its hashes, which uv would keep as they are."""
    target, draft = LOCKS / f"{name}.txt", LOCKS / f".{name}.draft"
    versions = re.sub(r" \\\n +--hash=\S+", "", target.read_text(encoding="utf-8")) if target.exists() else ""
    draft.write_text(versions, encoding="utf-8")
    try:
        _run([str(UV), "pip", "compile", *COMPILE, *options, "-o", str(draft), str(source)], environment=index_environment())
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def index_environment() -> dict[str, str]:
    """Give the environment in which uv sees the package index alone.

    A folder of wheels or a second index on this machine may lack files that others need, so only the way to the network is taken
    from pip's configuration. Another index than uv's own is named on the command line: `lock --default-index URL`.
    """
    values = _read_pip_config()
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("UV_")}
    network = _translate(values, NETWORK_SETTINGS)
    return {**network, **inherited, "VIRTUAL_ENV": str(VENV), "UV_NO_CONFIG": "1"}


def audit() -> None:
    """Look up the locked packages among known vulnerabilities, after writing what they are (CycloneDX) to BILL.

    Raises: BootstrapError when a package is vulnerable, or the database can't be asked.
    """
    _ensure_uv()
    packages = str(LOCKS / "local.txt")  # ui's are among them, loader's but for those of traces
    files = ("-r", packages, "-r", str(LOCKS / "loader.txt"))
    tools = str(LOCKS / "audit.txt")
    tool = ("run", "--quiet", "--no-project", "--isolated", "--python", str(PYTHON), "--with-requirements", tools)
    _run_uv(*tool, "cyclonedx-py", "requirements", packages, "--output-file", str(ROOT / BILL))
    _say(f"{BILL} lists the packages.")
    _run_uv(*tool, "pip-audit", "--strict", "--require-hashes", "--disable-pip", "--progress-spinner=off", *files)


def _ensure_uv() -> None:
    if not _works():
        _make_venv()
    wanted = hashlib.sha256((LOCKS / "uv.txt").read_bytes()).hexdigest()
    stamp = VENV / ".tripdeck-uv"
    if UV.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return
    _run(
        [
            str(PYTHON),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--require-hashes",
            "-r",
            str(LOCKS / "uv.txt"),
        ]
    )
    stamp.write_text(wanted, encoding="utf-8")


def _make_venv() -> None:
    try:
        import ensurepip  # noqa: F401
    except ImportError as error:
        name = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
        raise BootstrapError(
            f"{sys.executable} has no ensurepip; install it first (Debian, Ubuntu: apt install {name})."
        ) from error
    if VENV.exists():
        shutil.rmtree(VENV)
    try:
        venv.create(VENV, with_pip=True)
    except (OSError, subprocess.CalledProcessError) as error:
        shutil.rmtree(VENV, ignore_errors=True)
        raise BootstrapError(f"Can't make {VENV}: {error}") from error


def _works() -> bool:
    """Say whether .venv is there, was made at this place, and its Python still runs."""
    if not PYTHON.exists() or not (VENV / "bin" / "pip").exists():
        return False
    first_line = (VENV / "bin" / "pip").read_bytes().split(b"\n", 1)[0].decode(errors="replace")
    if str(VENV) not in first_line and len(str(VENV)) < 100:  # longer paths can't stand in a first line
        return False
    return subprocess.run([PYTHON, "-c", "import pip"], capture_output=True, check=False).returncode == 0


def _stamp_of(name: str) -> str:
    """What an installed set depends on: locks, project file, place."""
    digest = hashlib.sha256(str(ROOT).encode())
    for path in (*(LOCKS / f"{part}.txt" for part in (name, "build", "uv")), ROOT / "pyproject.toml"):
        digest.update(path.read_bytes())
    return f"{name} {digest.hexdigest()}"


def _run_uv(*arguments: str) -> None:
    _run([str(UV), *arguments], environment={**os.environ, "VIRTUAL_ENV": str(VENV), **_translate_pip_settings()})


def _translate_pip_settings() -> dict[str, str]:
    """Tell uv what pip is configured to; uv's own variables, where they are set, win."""
    translated = _translate(_read_pip_config(), INDEX_SETTINGS)
    # pip takes a locked version from any index that has it, uv by default only from the first that knows the name. Every file is
    # checked against its locked hash, so it does not matter which index serves it.
    return {"UV_INDEX_STRATEGY": "unsafe-best-match", **translated} if translated else {}


def _translate(values: Mapping[str, str], settings: tuple[tuple[str, str, str], ...]) -> dict[str, str]:
    return {
        variable: separator.join(values[option].split())
        for option, variable, separator in settings
        if option in values and variable not in os.environ
    }


def _read_pip_config() -> dict[str, str]:
    done = subprocess.run([PYTHON, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False)
    return parse_pip_config(done.stdout)


def parse_pip_config(text: str) -> dict[str, str]:
    """Read `pip config list`: options of all commands, then of install, then of the environment; the later win."""
    found: dict[str, dict[str, str]] = {"global": {}, "install": {}, ":env:": {}}
    for line in text.splitlines():
        name, _, value = line.partition("=")
        section, _, option = name.rpartition(".")
        if section in found:
            found[section][option] = value.strip("'\"")
    return {**found["global"], **found["install"], **found[":env:"]}


def _run(command: list[str], *, environment: Mapping[str, str] | None = None) -> None:
    done = subprocess.run(command, env=environment, cwd=ROOT, check=False)
    if done.returncode:
        raise BootstrapError(f"`{Path(command[0]).name} {' '.join(command[1:4])} …` failed; its reason stands above.")


@contextmanager
def _hold_lock() -> Iterator[None]:
    with (ROOT / "pyproject.toml").open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # `make up` and `make test` may begin in one clone at once
        yield


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def main() -> None:
    """Install or lock, from the command line."""
    arguments = sys.argv[1:]
    try:
        if arguments[:1] == ["lock"]:
            lock(arguments[1:])
        elif arguments == ["audit"]:
            audit()
        elif len(arguments) == 1 and arguments[0] in SETS:
            install(arguments[0])
        else:
            sys.exit(f"usage: bootstrap.py {' | '.join(SETS)} | lock [--upgrade] | audit")
    except BootstrapError as error:
        sys.exit(f"tripdeck: {error}")


if __name__ == "__main__":
    main()
