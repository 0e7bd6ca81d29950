"""Notes on how a load ended."""

from alembic import op

from shared.services.migrations import run_file

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file."""
    run_file(op.get_bind(), "0022_notes.sql")
