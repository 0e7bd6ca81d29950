"""What an installation keeps in its data folder (installation.json, for its owner's eyes only), and the settings that follow.

Secrets are made at random at the first start, so no installation has a default password. Ports are kept so that addresses stay.
"""

import json
import os
import secrets
from collections.abc import Set
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

import psutil
from pydantic import SecretStr

from infra.embedded import find_free_ports, is_port_taken
from infra.embedded.postgres import ANALYST, make_postgres_url
from infra.embedded.valkey import make_valkey_url
from infra.probe import make_local_url
from shared.platform.errors import SettingsError
from shared.platform.settings import Settings

DATABASE: Final = "tripdeck"
ACCESS_KEY: Final = "tripdeck"
# The servers we run ourselves, unless this setting names one that runs already; and the port we like best.
SERVER_SETTINGS: Final = {"postgres": "database_url", "valkey": "redis_url", "s3": "s3_endpoint"}
_MOST_CACHE_MIB: Final = 2_048
_USUAL_PORTS: Final = {"postgres": 5433, "valkey": 6380, "s3": 8333}


@dataclass
class Installation:
    """Secrets and ports of one data folder."""

    database_password: str = field(default_factory=lambda: secrets.token_hex(16))
    analyst_password: str = field(default_factory=lambda: secrets.token_hex(16))
    redis_password: str = field(default_factory=lambda: secrets.token_hex(16))
    s3_secret_key: str = field(default_factory=lambda: secrets.token_hex(20))
    ports: dict[str, int] = field(default_factory=dict)

    def choose_ports(self, *, avoid: Set[int]) -> None:
        """Give each server the port it had, else its usual one, else any that is free; none of those to avoid."""
        chosen: dict[str, int] = {}
        for name, usual in _USUAL_PORTS.items():
            wanted, used = self.ports.get(name, usual), {*avoid, *chosen.values()}
            is_good = wanted not in used and not is_port_taken(wanted)
            chosen[name] = wanted if is_good else next(port for port in find_free_ports(len(used) + 1) if port not in used)
        self.ports = chosen


def load_installation(data_dir: Path, *, avoid: Set[int]) -> Installation:
    """Read the installation, or make its secrets, and choose the ports for this start. avoid: ports that others will take."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = data_dir / "installation.json"
    installation = Installation(**json.loads(path.read_text(encoding="utf-8"))) if path.exists() else Installation()
    installation.choose_ports(avoid=avoid)
    write_private(path, asdict(installation))
    return installation


def find_owned_servers(settings: Settings) -> set[str]:
    """Servers that no setting names, so that we run them."""
    return {server for server, name in SERVER_SETTINGS.items() if name not in settings.model_fields_set}


def require_free_ports(settings: Settings) -> None:
    """Raise SettingsError when another program has the hub's or the web app's port."""
    for what, name in (("hub", "hub_port"), ("web app", "ui_port")):
        port = getattr(settings, name)
        if is_port_taken(port, getattr(settings, name.replace("port", "host"))):
            raise SettingsError(
                f"Port {port} for the {what} is taken by another program; stop it, or choose another port with "
                f"TRIPDECK_{name.upper()}."
            )


def complete_settings(settings: Settings, installation: Installation, owned: Set[str]) -> Settings:
    """Settings of the processes: addresses and secrets of our own servers, and addresses that follow from the ports."""
    ports = installation.ports
    found: dict[str, object] = {"data_dir": settings.data_dir.resolve()}
    if "postgres" in owned:
        url = make_postgres_url(DATABASE, port=ports["postgres"], password=installation.database_password)
        found["database_url"] = SecretStr(url)
        if "sql_database_url" not in settings.model_fields_set and settings.min_group_trips <= 1:
            url = make_postgres_url(DATABASE, port=ports["postgres"], password=installation.analyst_password, user=ANALYST)
            found["sql_database_url"] = SecretStr(url)
    if "valkey" in owned:
        found["redis_url"] = SecretStr(make_valkey_url(port=ports["valkey"], password=installation.redis_password))
    if "s3" in owned:
        found["s3_endpoint"] = f"http://127.0.0.1:{ports['s3']}"
        found["s3_access_key"] = SecretStr(ACCESS_KEY)
        found["s3_secret_key"] = SecretStr(installation.s3_secret_key)
    if "api_url" not in settings.model_fields_set:
        found["api_url"] = make_local_url(settings.hub_host, settings.hub_port)
    if "allowed_origins" not in settings.model_fields_set:
        found["allowed_origins"] = (f"http://127.0.0.1:{settings.ui_port}", f"http://localhost:{settings.ui_port}")
    if "block_cache_mib" not in settings.model_fields_set:
        # A sixteenth of the memory each for hub and web app, an eighth is PostgreSQL's: of 24 GiB enough for 100 million trips.
        found["block_cache_mib"] = min(psutil.virtual_memory().total // 2**24, _MOST_CACHE_MIB)
    return settings.model_copy(update=found)


def write_private(path: Path, document: object) -> None:
    """Write JSON that only the owner may read, in one step."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(document, file, indent=1)
    draft.replace(path)
