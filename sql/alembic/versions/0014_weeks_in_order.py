"""Blocks keep weeks in order."""

from pathlib import Path

from alembic import op

revision = "0014"
down_revision = "0012"
branch_labels = None
depends_on = None

MIGRATIONS = Path(__file__).parents[2] / "migrations"


def upgrade() -> None:
    """Run the SQL file."""
    op.get_bind().connection.cursor().execute((MIGRATIONS / "0014_weeks_in_order.sql").read_text(encoding="utf-8"))
