"""How files with the same header are read."""

from alembic import op

from shared.services.migrations import run_file

revision = "0004"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file."""
    run_file(op.get_bind(), "0004_reading.sql")
