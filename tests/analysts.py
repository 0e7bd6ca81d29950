"""Settings with which analysts may ask in SQL, for tests."""

from typing import Any

from pydantic import SecretStr

from infra.embedded.postgres import ANALYST, make_postgres_url
from shared.platform.settings import Settings
from tests.services import PASSWORD

TIMEOUT_MS = 3_000
ROW_LIMIT = 500


def as_analyst(settings: Settings, **changes: Any) -> Settings:
    """The settings with the analysts' role of the same database, and low limits."""
    port, database = settings.database_url.get_secret_value().rsplit(":", 1)[1].split("/")
    own = make_postgres_url(database, port=int(port), password=PASSWORD, user=ANALYST)
    limits = {"sql_timeout_ms": TIMEOUT_MS, "sql_row_limit": ROW_LIMIT}
    return settings.model_copy(update={"sql_database_url": SecretStr(own), **limits, **changes})
