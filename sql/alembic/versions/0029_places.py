"""Place sets: zones, named areas and location tables."""

from alembic import op

from shared.services.migrations import run_file

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file."""
    run_file(op.get_bind(), "0029_places.sql")
