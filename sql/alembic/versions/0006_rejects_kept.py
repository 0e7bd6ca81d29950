"""How many rejects the database keeps."""

from pathlib import Path

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

MIGRATIONS = Path(__file__).parents[2] / "migrations"


def upgrade() -> None:
    """Run the SQL file."""
    op.get_bind().connection.cursor().execute((MIGRATIONS / "0006_rejects_kept.sql").read_text(encoding="utf-8"))
