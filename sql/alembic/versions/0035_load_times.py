"""Times of a load's stages: when it was compacted, and which upload it was."""

from alembic import op

from shared.services.migrations import run_file

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file."""
    run_file(op.get_bind(), "0035_load_times.sql")
