"""Revisions: what a verdict was based on is compared when it is committed"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None
phase = "before"


def upgrade() -> None:
    op.create_table(
        "revision",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_revision")),
    )


def downgrade() -> None:
    op.drop_table("revision")
