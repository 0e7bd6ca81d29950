"""Idempotency keys of uploads."""

from alembic import op

from shared.services.migrations import run_file

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file."""
    run_file(op.get_bind(), "0024_upload_keys.sql")
