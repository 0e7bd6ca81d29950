"""Numbers of blocks."""

from alembic import op

from shared.services.migrations import run_file

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file."""
    run_file(op.get_bind(), "0017_block_ids.sql")
