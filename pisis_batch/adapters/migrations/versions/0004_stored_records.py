"""Stored records of the annexes that only store"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None
phase = "before"


def upgrade() -> None:
    op.create_table(
        "stored",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("guid", sa.Text(), nullable=False),
        sa.Column("annex", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("entity_type", sa.Text(), nullable=False),
        sa.Column("entity_number", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("within", sa.Text(), nullable=False),
        sa.Column("unique_key", sa.Text(), nullable=False),
        sa.Column("control", sa.Boolean(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("valid_from", sa.Text(), nullable=False),
        sa.Column("valid_to", sa.Text(), nullable=True),
        sa.Column("to_guid", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["guid"], ["receipt.guid"], name=op.f("fk_stored_guid")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stored")),
    )
    with op.batch_alter_table("stored", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_stored_guid"), ["guid"], unique=False)
        batch_op.create_index("ix_stored_place", ["annex", "entity_type", "entity_number", "record"], unique=False)


def downgrade() -> None:
    op.drop_table("stored")
