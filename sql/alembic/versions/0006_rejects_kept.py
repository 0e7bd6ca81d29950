"""How many rejects the database keeps."""

from alembic import op

from shared.services.migrations import run_file

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file."""
    run_file(op.get_bind(), "0006_rejects_kept.sql")
