"""Blocks have durations; those of loads with durations are made anew."""

from alembic import op

from shared.services.migrations import run_file

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file."""
    run_file(op.get_bind(), "0030_durations.sql")
