"""Runs of blocks."""

from alembic import op

from shared.services.migrations import run_file

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file."""
    run_file(op.get_bind(), "0007_blocks.sql")
