"""Segments, uncompacted and unindexed loads: names of tables, columns and functions."""

from alembic import op

from shared.services.migrations import run_file

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file."""
    run_file(op.get_bind(), "0026_words.sql")
