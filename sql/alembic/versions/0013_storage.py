"""What differs by server in questions about trips."""

from alembic import op

from shared.services.migrations import find_flavour, run_file

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file of the database's server."""
    connection = op.get_bind()
    run_file(connection, f"0013_storage_{find_flavour(connection)}.sql")
