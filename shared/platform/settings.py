"""Settings: one frozen object, built in each process's main from TRIPDECK_* variables and passed down.

    settings = load_settings()
    engine = connect_database(settings)

Names that start with TRIPDECK_ and are not listed here are an error: a misspelt setting must not be ignored.
Names that start with TRIPDECK_TEST_ belong to the test suite.
"""

import json
import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.platform.errors import RequestError, SettingsError
from shared.platform.source_address import parse_address

PREFIX = "TRIPDECK_"
SECRETS_DIR = Path("/run/secrets")


class Settings(BaseSettings):
    """Every setting, with its default and unit."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        frozen=True,
        extra="forbid",
        secrets_dir=SECRETS_DIR if SECRETS_DIR.is_dir() else None,
    )

    # Local stack
    data_dir: Path = Field(Path(".tripdeck"), description="Folder of the local stack: data, logs, state. Path.")

    # Database
    database_url: SecretStr = Field(
        SecretStr("postgresql+psycopg://tripdeck@127.0.0.1:5433/tripdeck"),
        description="PostgreSQL, TimescaleDB or Citus (its coordinator), SQLAlchemy URL.",
    )
    read_database_url: SecretStr | None = Field(
        None, description="A read replica that answers questions, SQLAlchemy URL; the database itself when empty."
    )
    database_pool_size: int = Field(5, ge=1, description="Open connections per process, at most. Count.")
    statement_timeout_ms: int = Field(30_000, ge=0, description="Longest question to the database. Milliseconds, 0 = no limit.")

    # Redis
    redis_url: SecretStr = Field(SecretStr("redis://127.0.0.1:6380/0"), description="Redis-protocol server, URL.")

    # Object store
    s3_endpoint: str = Field("http://127.0.0.1:8333", description="S3 server as this process reaches it, URL.")
    s3_public_endpoint: str | None = Field(None, description="S3 server as browsers reach it, URL; the endpoint when empty.")
    s3_access_key: SecretStr = Field(SecretStr("tripdeck"), description="S3 access key; the machine's IAM role when set empty.")
    s3_secret_key: SecretStr = Field(SecretStr("tripdeck-local"), description="S3 secret key.")
    s3_bucket: str = Field("tripdeck", description="S3 bucket for uploaded files.")
    s3_region: str = Field("us-east-1", description="S3 region name.")

    # Hub
    hub_host: str = Field("127.0.0.1", description="Address the hub listens on.")
    hub_port: int = Field(8600, ge=1, le=65535, description="Port the hub listens on.")
    api_url: str = Field("http://127.0.0.1:8600", description="The hub as the command line and the UI's server reach it, URL.")
    api_public_url: str | None = Field(None, description="The hub as browsers reach it, URL; the API URL when empty.")
    allowed_origins: tuple[str, ...] = Field(
        ("http://127.0.0.1:8501", "http://localhost:8501"),
        description="Origins of pages that may call the hub. JSON list of URLs.",
    )
    hub_secret: SecretStr | None = Field(
        None, description="Key that signs hub tokens; without it the hub asks for no token and must stay on loopback."
    )
    api_token: SecretStr | None = Field(None, description="Token the command line shows the hub; made from the key when empty.")
    hub_idle_timeout_s: float = Field(
        75.0, gt=0, description="Time for the head of a request, and between requests of one connection. Seconds."
    )
    hub_body_timeout_s: float = Field(
        60.0, gt=0, description="Longest pause in a request's body, and in the reading of an answer. Seconds."
    )
    # With what the hub opens besides, below 4,096 files, the lowest hard limit that is usual.
    hub_connections: int = Field(
        3_500,
        ge=1,
        description="Connections of clients, the feed's included; others get 503, except for health checks. Count.",
    )
    inspect_processes: int = Field(2, ge=1, description="Files that the hub inspects at once, a process each. Count.")
    inspect_timeout_s: float = Field(10.0, gt=0, description="Time after which an inspection is broken off. Seconds.")
    inspect_memory_mib: int = Field(768, ge=64, description="Memory that an inspection may take, on Linux. MiB.")
    hub_allow_anyone: bool = Field(False, description="Let the hub listen beyond loopback without a secret. true or false.")

    # UI
    ui_host: str = Field("127.0.0.1", description="Address the web app listens on.")
    ui_port: int = Field(8501, ge=1, le=65535, description="Port the web app listens on.")
    sign_in_file: Path | None = Field(
        None, description="TOML file with the section [auth] of an OpenID Connect provider; one local user when empty. Path."
    )
    ui_allow_anyone: bool = Field(False, description="Let the web app listen beyond loopback without sign-in. true or false.")
    map_style: str | None = Field(
        None, description="Base map: MapLibre style or PMTiles archive (*.pmtiles); the offline map when empty. URL."
    )

    # Loader
    worker_processes: int = Field(1, ge=1, description="Worker processes. Count.")
    worker_threads: int = Field(2, ge=1, description="Threads per worker process. Count.")
    worker_metrics_host: str = Field("127.0.0.1", description="Address that workers serve their metrics on.")
    worker_metrics_port: int = Field(
        0, ge=0, le=65_000, description="Port of the first worker process's metrics; others take the next. 0 = none."
    )
    # With 16 MiB a worker of two threads needs 30 MiB more and is no faster (845 to 875 thousand rows/s either way).
    batch_bytes: int = Field(12 * 2**20, ge=1024, description="Size of a batch before compression. Bytes.")
    early_bytes: int = Field(
        64 * 2**20, ge=0, description="Files from this size on are loaded while they are still being read. Bytes."
    )
    batch_attempts: int = Field(4, ge=1, description="Unexpected errors after which a batch, or planning, fails. Count.")
    # At a chance of 0.3 that a try is killed, four kills in a row meet one batch in a hundred, ten one in 200,000.
    batch_kills: int = Field(10, ge=1, description="Kills of its worker after which a batch, or planning, fails. Count.")
    batch_lease_s: float = Field(20.0, gt=0, description="Time until a claimed batch that did not end is run again. Seconds.")
    reconcile_interval_s: float = Field(5.0, gt=0, description="Time between looks for unfinished work. Seconds.")
    reject_limit_rows: int = Field(1_000_000, ge=0, description="Rejects that fail a load. Rows.")
    reject_kept_rows: int = Field(
        100_000, ge=0, description="Rejects of a load kept in the database, about; the object store keeps all. Rows."
    )
    reject_limit_share: float = Field(1.0, ge=0, le=1, description="Share of rejects that fails a load; 1 = no limit. Fraction.")
    # An eighth of the 32,767 that there can be: more than the counties of the United States, fewer than a column of ids has.
    new_names_limit: int = Field(
        4_000, ge=1, le=32_767, description="Regions, and datasources, that one load may bring that were not there. Count."
    )
    record_limit_bytes: int = Field(1 * 2**20, ge=1024, description="Longest record of a file. Bytes.")
    event_history: int = Field(100_000, ge=1000, description="Events kept for replay. Count.")
    upload_limit_bytes: int = Field(1 * 2**40, ge=1, description="Largest file. Bytes.")
    source_allow: tuple[str, ...] = Field(
        (),
        description="Addresses that files may be read from, with all below them, such as s3://drops/bikes/ or "
        "https://data.example.org/trips/; none when empty. JSON list of URLs.",
    )
    source_private: bool = Field(False, description="Read https sources on hosts that are not public, too. true or false.")
    source_timeout_s: float = Field(3600.0, gt=0, description="Longest read of a file from a web server. Seconds.")
    upload_slots: int = Field(
        4, ge=1, description="Files that one hub takes in at once; each needs 32 MiB, the senders of others wait. Count."
    )
    idempotency_retention_s: float = Field(
        604_800.0, gt=0, description="Time for which an Idempotency-Key gives the load that it asked for before. Seconds."
    )
    upload_max_age_s: float = Field(
        86_400.0, gt=0, description="Time after the last part of an unfinished upload until it is dropped. Seconds."
    )
    object_retention_s: float = Field(
        604_800.0, gt=0, description="Time that files of undone, cancelled and duplicate loads stay, to be retried. Seconds."
    )

    # Publishing
    publish_prefix: str = Field(
        "exports",
        pattern=r"^[A-Za-z0-9/_.-]*[A-Za-z0-9_-]/?$",
        description="Folder of the bucket for published loads. Key prefix.",
    )
    publish_file_mib: int = Field(200, ge=1, description="Size of a published file, about. MiB.")
    publish_engine: Literal["none", "druid", "druid_sql", "clickhouse"] = Field(
        "none", description="Engine that published loads are handed over to; druid: native batch."
    )
    engine_url: str = Field("http://127.0.0.1:8888", description="Druid's router, or ClickHouse's HTTP interface, URL.")
    engine_table: str = Field("trips", pattern=r"^[A-Za-z][A-Za-z0-9_]*$", description="Datasource or table of the engine. Name.")
    engine_user: str | None = Field(None, description="User of the engine; none when empty. Name.")
    engine_password: SecretStr | None = Field(None, description="Password of the engine's user.")
    engine_s3_endpoint: str | None = Field(None, description="S3 server as the engine reaches it, URL; the endpoint when empty.")

    # Webhooks
    webhook_private_hosts: tuple[str, ...] = Field(
        (),
        description="Hosts and networks that webhooks may reach although their addresses are private or their URLs http; for hub "
        'and workers. JSON list, such as ["hooks.internal", "10.2.0.0/16"].',
    )
    webhook_timeout_s: float = Field(10.0, gt=0, description="Time in which a webhook's receiver must answer. Seconds.")
    # With the pauses of deliveries.py ten attempts span 14 hours: a receiver that is down for a night gets all.
    webhook_attempts: int = Field(10, ge=1, description="Attempts to send a message to a webhook. Count.")

    # Questions
    block_cache_mib: int = Field(256, ge=0, description="Memory of the block cache, in hub and web app each. MiB, 0 = none.")
    min_group_trips: int = Field(
        0,
        ge=0,
        description="Trip groups, flows and cells of fewer trips are hidden in answers and exports. Trips, 0 = none hidden.",
    )
    sql_database_url: SecretStr | None = Field(
        None,
        description="The database as a role that is in tripdeck_analyst alone, SQLAlchemy URL; no questions in SQL when empty.",
    )
    sql_timeout_ms: int = Field(10_000, ge=1, description="Longest question in SQL. Milliseconds.")
    sql_row_limit: int = Field(10_000, ge=1, le=1_000_000, description="Rows of an answer in SQL, at most. Count.")
    geohash_precision: int = Field(6, ge=1, le=12, description="Default size of a trip group's cells. Geohash characters.")
    time_bucket_minutes: int = Field(60, ge=1, le=1440, description="Default length of a trip group's time of day. Minutes.")

    # Logs
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least severe log line kept.")
    log_format: Literal["text", "json"] = Field("text", description="Form of log lines.")

    @field_validator("source_allow")
    @classmethod
    def _check_addresses(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for entry in given:
            try:
                parse_address(entry)
            except RequestError as error:
                raise ValueError(f"{entry}: {error.message}") from error
        return given

    @cached_property
    def browser_s3_endpoint(self) -> str:
        """S3 server as browsers reach it."""
        return self.s3_public_endpoint or self.s3_endpoint

    @cached_property
    def browser_api_url(self) -> str:
        """The hub as browsers reach it."""
        return self.api_public_url or self.api_url


def load_settings(environment: Mapping[str, str] | None = None, **overrides: object) -> Settings:
    """Build the settings from the environment; overrides win.

    Raises: SettingsError for unknown TRIPDECK_* names and for values that don't fit.
    """
    names = environment if environment is not None else os.environ
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    unknown = sorted(
        name for name in names if name.startswith(PREFIX) and name not in known and not name.startswith(f"{PREFIX}TEST_")
    )
    if unknown:
        raise SettingsError(f"Unknown settings: {', '.join(unknown)}. See .env.example for the names there are.")
    try:
        if environment is None:
            return Settings(**overrides)  # type: ignore[arg-type]
        return Settings(**_parse_environment(environment), **overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        name = PREFIX + ".".join(str(part) for part in first["loc"]).upper()
        raise SettingsError(f"{name}: {first['msg']}") from error


_LISTS = ("allowed_origins", "source_allow", "webhook_private_hosts")


def _parse_environment(environment: Mapping[str, str]) -> dict[str, object]:
    parsed: dict[str, object] = {}
    for name in Settings.model_fields:
        value = environment.get(PREFIX + name.upper())
        if value is not None:
            parsed[name] = tuple(json.loads(value)) if name in _LISTS else value
    return parsed
