"""Receipts of what was refused without being read"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None
phase = "before"


def upgrade() -> None:
    op.add_column("receipt", sa.Column("unread", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    op.drop_column("receipt", "unread")
