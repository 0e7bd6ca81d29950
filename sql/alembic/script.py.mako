"""${message}."""

from pathlib import Path

from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file."""
    op.execute((Path(__file__).parents[2] / "migrations" / "FILE.sql").read_text(encoding="utf-8"))
