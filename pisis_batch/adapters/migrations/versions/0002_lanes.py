"""Lanes: a queue for each entity, with lease and fence; receipts get their place in it"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

RUNNING = sa.text("state = 'procesando'")


def upgrade() -> None:
    op.create_table(
        "lane",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("last_place", sa.BigInteger(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("lease_until", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lane")),
    )
    op.add_column("receipt", sa.Column("lane", sa.Text(), server_default="", nullable=False))
    op.add_column("receipt", sa.Column("lane_place", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("receipt", sa.Column("fence", sa.BigInteger(), server_default="0", nullable=False))
    # files received before there were lanes queue by their sender, in the order they came
    op.execute("UPDATE receipt SET lane = '@' || coalesce(sender, ''), lane_place = seq")
    op.execute("INSERT INTO lane (name, last_place, fence) SELECT lane, max(lane_place), 0 FROM receipt GROUP BY lane")
    op.create_index("in_lane_order", "receipt", ["lane", "lane_place"], unique=True)
    op.create_index("one_running", "receipt", ["lane"], unique=True, sqlite_where=RUNNING, postgresql_where=RUNNING)


def downgrade() -> None:
    op.drop_index("one_running", "receipt")
    op.drop_index("in_lane_order", "receipt")
    for name in ("fence", "lane_place", "lane"):
        op.drop_column("receipt", name)
    op.drop_table("lane")
