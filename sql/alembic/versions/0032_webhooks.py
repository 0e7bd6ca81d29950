"""Webhooks: addresses that hear of the end of loads, and what is sent to them."""

from alembic import op

from shared.services.migrations import run_file

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file."""
    run_file(op.get_bind(), "0032_webhooks.sql")
