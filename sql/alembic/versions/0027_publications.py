"""Publications of loads as GeoParquet, and their way into other engines."""

from alembic import op

from shared.services.migrations import run_file

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file."""
    run_file(op.get_bind(), "0027_publications.sql")
