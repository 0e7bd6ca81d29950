"""Blocks of batches."""

from alembic import op

from shared.services.migrations import run_file

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file."""
    run_file(op.get_bind(), "0009_batch_blocks.sql")
