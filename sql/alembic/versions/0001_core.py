"""Tables, functions, views; storage by flavour; roles."""

from alembic import op

from shared.services.migrations import find_flavour, run_file

revision = "0001"
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
    for name in ("0001_core.sql", f"0002_storage_{find_flavour(connection)}.sql", "0003_roles.sql"):
        run_file(connection, name)
