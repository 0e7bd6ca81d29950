"""Segments are read whole: no index of their bounds, but one of their ids."""

from alembic import op

from shared.services.migrations import run_file

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file."""
    run_file(op.get_bind(), "0028_snapshots.sql")
