"""Runs whose documents are not in the outbox yet, found by an index and not by reading every run"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None
phase = "before"

_SQLITE = sa.text("latest = 1 AND published = 0")
_POSTGRESQL = sa.text("latest AND NOT published")


def upgrade() -> None:
    op.create_index("ix_run_unpublished", "run", ["id"], sqlite_where=_SQLITE, postgresql_where=_POSTGRESQL)


def downgrade() -> None:
    op.drop_index("ix_run_unpublished", "run")
