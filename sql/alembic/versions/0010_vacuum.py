"""No vacuum because of new rows."""

from pathlib import Path

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

MIGRATIONS = Path(__file__).parents[2] / "migrations"


def upgrade() -> None:
    """Run the SQL file."""
    op.get_bind().connection.cursor().execute((MIGRATIONS / "0010_vacuum.sql").read_text(encoding="utf-8"))
