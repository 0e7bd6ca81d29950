"""Blocks keep weeks in order."""

from alembic import op

from shared.services.migrations import run_file

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file."""
    run_file(op.get_bind(), "0014_weeks_in_order.sql")
