"""Objects that nobody needs any more."""

from alembic import op

from shared.services.migrations import run_file

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file."""
    run_file(op.get_bind(), "0023_objects.sql")
