"""Names that can be given back."""

from alembic import op

from shared.services.migrations import run_file

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file."""
    run_file(op.get_bind(), "0021_names.sql")
