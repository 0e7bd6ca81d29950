"""Questions in an analyst's own SQL: the size of a row is checked."""

from alembic import op

from shared.services.migrations import run_file

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file."""
    run_file(op.get_bind(), "0034_analyst_sql.sql")
