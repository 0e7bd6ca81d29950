"""Cells keep sums, and points are found by which end they are."""

from pathlib import Path

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

MIGRATIONS = Path(__file__).parents[2] / "migrations"


def upgrade() -> None:
    """Run the SQL file."""
    op.get_bind().connection.cursor().execute((MIGRATIONS / "0011_cell_sums.sql").read_text(encoding="utf-8"))
