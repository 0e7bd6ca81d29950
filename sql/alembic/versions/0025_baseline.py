"""Baseline: the whole schema as it was when older revisions were put together."""

from alembic import op

from shared.services.migrations import find_flavour, list_baseline, run_file

revision = "0025"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL files; the storage file depends on what the server offers.

    Citus is used where the operator has put it into this database: making it needs a superuser, and nodes that only they know.
    """
    connection = op.get_bind()
    offers_timescale = connection.exec_driver_sql(
        "select count(*) from pg_available_extensions where name = 'timescaledb'"
    ).scalar_one()
    if offers_timescale and find_flavour(connection) != "citus":
        connection.exec_driver_sql("create extension if not exists timescaledb")
    for name in list_baseline(find_flavour(connection)):
        run_file(connection, name)
