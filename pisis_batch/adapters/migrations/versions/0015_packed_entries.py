"""One row of audit may stand for the lines of a large file; on PostgreSQL, room on each page for a row's next state"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None
phase = "before"


def upgrade() -> None:
    op.add_column("audit", sa.Column("many", sa.Integer(), nullable=True))
    op.add_column("audit", sa.Column("lines", sa.LargeBinary(), nullable=True))
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE link SET (fillfactor = 50)")
        op.execute("ALTER TABLE profile_grant SET (fillfactor = 50)")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE link RESET (fillfactor)")
        op.execute("ALTER TABLE profile_grant RESET (fillfactor)")
    op.drop_column("audit", "lines")
    op.drop_column("audit", "many")
