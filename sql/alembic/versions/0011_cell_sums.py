"""Cells keep sums, and points are found by which end they are."""

from alembic import op

from shared.services.migrations import run_file

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file."""
    run_file(op.get_bind(), "0011_cell_sums.sql")
