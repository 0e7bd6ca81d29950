"""Make the secret files that docker-compose.yml mounts: python3 infra/make_secrets.py [FOLDER]; standard library only.

Existing files are kept: a database that was made with a password keeps it.
"""

import secrets
import sys
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).resolve().parent.parent / ".secrets"


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
        return path.read_text(encoding="utf-8")

    keep("postgres_password", secrets.token_hex(20))
    password = keep("tripdeck_password", secrets.token_hex(20))
    redis_password = keep("redis_password", secrets.token_hex(20))
    keep("tripdeck_s3_secret_key", secrets.token_hex(20))
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


def main() -> None:
    """Make them in .secrets, or in the folder that is named."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    written = make_secrets(folder)
    sys.stdout.write(f"{folder}: {len(written)} made, the others kept.\n")


if __name__ == "__main__":
    main()
