"""Receipts of signed files"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None
phase = "before"


def upgrade() -> None:
    op.add_column("receipt", sa.Column("signed", sa.Text(), server_default="", nullable=False))
    op.add_column("receipt", sa.Column("signature", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    op.drop_column("receipt", "signature")
    op.drop_column("receipt", "signed")
