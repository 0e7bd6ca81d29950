"""Tables, functions, views; storage by flavour; roles."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

MIGRATIONS = Path(__file__).parents[2] / "migrations"


def upgrade() -> None:
    """Run the SQL files; the storage file depends on what the server offers."""
    connection = op.get_bind()
    offers_timescale = connection.exec_driver_sql(
        "select count(*) from pg_available_extensions where name = 'timescaledb'"
    ).scalar_one()
    if offers_timescale:
        connection.exec_driver_sql("create extension if not exists timescaledb")
    storage = "0002_storage_timescaledb.sql" if offers_timescale else "0002_storage_plain.sql"
    for name in ("0001_core.sql", storage, "0003_roles.sql"):
        # psycopg's cursor without parameters: the text may hold several statements and percent signs.
        connection.connection.cursor().execute((MIGRATIONS / name).read_text(encoding="utf-8"))
