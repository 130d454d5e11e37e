"""A chain over the audit: a link for each transaction, persons apart from what is signed"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None
phase = "before"


def upgrade() -> None:
    op.add_column("audit", sa.Column("who", sa.Text(), nullable=True))
    op.add_column("audit", sa.Column("who_key", sa.Text(), nullable=True))
    op.add_column("audit", sa.Column("batch", sa.BigInteger(), nullable=True))
    op.create_table(
        "audit_chain",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("batch", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("guid", sa.Text(), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("previous", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit_chain")),
        sa.UniqueConstraint("batch", name=op.f("uq_audit_chain_batch")),
        sa.UniqueConstraint("previous", name=op.f("uq_audit_chain_previous")),
    )


def downgrade() -> None:
    op.drop_table("audit_chain")
    for name in ("batch", "who_key", "who"):
        op.drop_column("audit", name)
