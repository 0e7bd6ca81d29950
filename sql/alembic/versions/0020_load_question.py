"""Questions of failed loads."""

from alembic import op

from shared.services.migrations import run_file

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file."""
    run_file(op.get_bind(), "0020_load_question.sql")
