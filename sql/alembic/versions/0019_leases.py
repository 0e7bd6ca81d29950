"""Leases with owners."""

from alembic import op

from shared.services.migrations import run_file

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file."""
    run_file(op.get_bind(), "0019_leases.sql")
