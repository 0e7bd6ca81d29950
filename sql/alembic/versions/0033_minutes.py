"""Blocks of origins have minutes; all are made anew."""

from alembic import op

from shared.services.migrations import run_file

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file."""
    run_file(op.get_bind(), "0033_minutes.sql")
