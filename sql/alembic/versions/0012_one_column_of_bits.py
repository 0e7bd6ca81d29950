"""Columns of bits lie in one value."""

from alembic import op

from shared.services.migrations import run_file

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file."""
    run_file(op.get_bind(), "0012_one_column_of_bits.sql")
