"""No vacuum because of new rows."""

from alembic import op

from shared.services.migrations import run_file

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file."""
    run_file(op.get_bind(), "0010_vacuum.sql")
