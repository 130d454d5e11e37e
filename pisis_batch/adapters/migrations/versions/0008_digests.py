"""Messages refused for good, and messages that a digest tells of"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None
phase = "before"


def upgrade() -> None:
    op.add_column("mail", sa.Column("refused", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("mail", sa.Column("digest", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("mail", "digest")
    op.drop_column("mail", "refused")
