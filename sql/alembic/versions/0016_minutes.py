"""Minutes of the day."""

from alembic import op

from shared.services.migrations import run_file

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file."""
    run_file(op.get_bind(), "0016_minutes.sql")
