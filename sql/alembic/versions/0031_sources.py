"""Sources of trip files, and the objects found there."""

from alembic import op

from shared.services.migrations import run_file

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file."""
    run_file(op.get_bind(), "0031_sources.sql")
