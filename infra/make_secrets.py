"""Make the secret files that docker-compose.yml mounts: python3 infra/make_secrets.py [FOLDER]; standard library only.

Existing files are kept: a database that was made with a password keeps it. Containers have users of their own, so everything
that is mounted into them must be readable: the scripts of infra/ are made so, too.
"""

import contextlib
import json
import os
import secrets
import sys
from pathlib import Path
from typing import Final

INFRA: Final = Path(__file__).resolve().parent
FOLDER: Final = INFRA.parent / ".secrets"
_SELINUX: Final = Path("/sys/fs/selinux/enforce")
# Compose labels volumes that are marked with z, but not secrets.
_LABEL: Final = b"system_u:object_r:container_file_t:s0"


def make_secrets(folder: Path) -> list[str]:
    """Write the files that are missing; returns their names.

    The folder keeps others of this machine out. The files themselves must be readable: in the containers, which have users of
    their own, they appear with the mode they have here.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)
    written: list[str] = []

    def keep(name: str, text: str) -> str:
        path = folder / name
        if not path.exists():
            path.write_text(text, encoding="utf-8")
            path.chmod(0o444)
            written.append(name)
        label_file(path)
        return path.read_text(encoding="utf-8")

    keep("postgres_password", secrets.token_hex(20))
    password = keep("tripdeck_password", secrets.token_hex(20))
    redis_password = keep("redis_password", secrets.token_hex(20))
    store_key = keep("tripdeck_s3_secret_key", secrets.token_hex(20))
    keep("store_identities", json.dumps(make_identities(store_key)))
    keep("tripdeck_hub_secret", secrets.token_hex(32))
    keep("pgbouncer_users", f'"tripdeck" "{password}"\n')
    keep("redis_conf", f"requirepass {redis_password}\n")
    keep("tripdeck_redis_url", f"redis://:{redis_password}@redis:6379/0")
    for name, place in (
        ("", "pgbouncer:6432/tripdeck"),
        ("_load", "pgbouncer:6432/tripdeck_load"),
        ("_direct", "database:5432/tripdeck"),
    ):
        keep(f"tripdeck_database_url{name}", f"postgresql+psycopg://tripdeck:{password}@{place}")
    return written


def make_identities(secret_key: str) -> dict[str, object]:
    """SeaweedFS's list of who may do what: Tripdeck may do everything in its bucket, and nothing elsewhere."""
    credentials = [{"accessKey": "tripdeck", "secretKey": secret_key}]
    actions = [f"{action}:tripdeck" for action in ("Admin", "Read", "Write", "List", "Tagging")]
    return {"identities": [{"name": "tripdeck", "credentials": credentials, "actions": actions}]}


def label_file(path: Path) -> None:
    """Let containers read the file where SELinux runs."""
    if _SELINUX.exists():
        with contextlib.suppress(OSError):  # a file system without labels
            os.setxattr(path, "security.selinux", _LABEL)  # type: ignore[attr-defined,unused-ignore]


def open_scripts(folder: Path) -> None:
    """Make the files that Compose mounts from here readable for all, whatever the umask of the clone was."""
    for path in (*folder.glob("*/*.sh"), *folder.glob("*/*.ini")):
        path.chmod(path.stat().st_mode | 0o444)


def main() -> None:
    """Make them in .secrets, or in the folder that is named."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    written = make_secrets(folder)
    open_scripts(INFRA)
    sys.stdout.write(f"{folder}: {len(written)} made, the others kept.\n")


if __name__ == "__main__":
    main()
