"""What a batch met."""

from alembic import op

from shared.services.migrations import run_file

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file."""
    run_file(op.get_bind(), "0005_batch_counts.sql")
