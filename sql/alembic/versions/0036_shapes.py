"""Areas of any shape in SQL."""

from alembic import op

from shared.services.migrations import run_file

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file."""
    run_file(op.get_bind(), "0036_shapes.sql")
