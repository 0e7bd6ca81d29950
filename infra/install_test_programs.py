"""See to the programs that tests need beside Python packages, Chromium and PgBouncer: Debian's by apt-get when we are root."""

import os
import shutil
import subprocess
import sys
from typing import Final

BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Debian puts daemons where the path of an ordinary user does not lead.
_MORE_PATH: Final = "/usr/local/sbin:/usr/sbin"


def find_browser() -> str | None:
    """Find an installed Chromium or Chrome."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


def find_pgbouncer() -> str | None:
    """Find an installed PgBouncer."""
    return shutil.which("pgbouncer", path=f"{os.environ.get('PATH', os.defpath)}:{_MORE_PATH}")


def list_missing() -> list[str]:
    """Debian packages of the programs that are missing."""
    found = {("chromium", "fonts-dejavu-core"): find_browser(), ("pgbouncer",): find_pgbouncer()}
    return [package for packages, path in found.items() if path is None for package in packages]


def main() -> None:
    """Install what is missing; never fails, the tests that need it say so themselves."""
    missing = list_missing()
    if not missing:
        return
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        sys.stderr.write(f"tripdeck: some tests need more; Debian: sudo apt-get install {' '.join(missing)}\n")
        return
    sys.stderr.write(f"Installing {', '.join(missing)} for the tests …\n")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in ((apt, "update", "-qq"), (apt, "install", "-y", "-qq", "--no-install-recommends", *missing)):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.stderr.write(f"tripdeck: `{' '.join(command[:2])}` failed: {done.stderr.strip()[-500:]}\n")


if __name__ == "__main__":
    main()
