"""Files that wait, found by their lane: whoever takes one looks at none of those that wait in other lanes"""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None
phase = "before"


def upgrade() -> None:
    op.create_index("ix_receipt_waiting", "receipt", ["state", "lane", "lane_place"], unique=False)
    op.drop_index("ix_receipt_state", "receipt")


def downgrade() -> None:
    op.create_index("ix_receipt_state", "receipt", ["state"], unique=False)
    op.drop_index("ix_receipt_waiting", "receipt")
