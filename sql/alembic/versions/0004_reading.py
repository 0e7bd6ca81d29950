"""How files with the same header are read."""

from pathlib import Path

from alembic import op

revision = "0004"
down_revision = "0001"
branch_labels = None
depends_on = None

MIGRATIONS = Path(__file__).parents[2] / "migrations"


def upgrade() -> None:
    """Run the SQL file."""
    op.get_bind().connection.cursor().execute((MIGRATIONS / "0004_reading.sql").read_text(encoding="utf-8"))
