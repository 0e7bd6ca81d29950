"""Axes of other ends are columns of their own."""

from alembic import op

from shared.services.migrations import run_file

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file."""
    run_file(op.get_bind(), "0015_axes_apart.sql")
