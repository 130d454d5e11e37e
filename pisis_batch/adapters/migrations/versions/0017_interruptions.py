"""Deaths of the service that found a file in hand, which are no attempts of the file's"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None
phase = "before"


def upgrade() -> None:
    op.add_column("receipt", sa.Column("interruptions", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    op.drop_column("receipt", "interruptions")
