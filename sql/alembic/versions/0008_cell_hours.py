"""Hours of cells."""

from alembic import op

from shared.services.migrations import run_file

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file."""
    run_file(op.get_bind(), "0008_cell_hours.sql")
