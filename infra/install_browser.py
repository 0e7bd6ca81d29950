"""See to a Chromium for the browser tests: Debian's by apt-get when we are root, else say what to install."""

import os
import shutil
import subprocess
import sys
from typing import Final

NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_browser() -> str | None:
    """Find an installed Chromium or Chrome."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def main() -> None:
    """Install Chromium where it is missing; never fails, the tests that need it say so themselves."""
    if find_browser():
        return
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        sys.stderr.write("tripdeck: no Chromium found; the browser tests need it (Debian: sudo apt-get install chromium).\n")
        return
    sys.stderr.write("Installing Chromium for the browser tests …\n")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        (apt, "update", "-qq"),
        (apt, "install", "-y", "-qq", "--no-install-recommends", "chromium", "fonts-dejavu-core"),
    ):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.stderr.write(f"tripdeck: `{' '.join(command[:2])}` failed: {done.stderr.strip()[-500:]}\n")


if __name__ == "__main__":
    main()
