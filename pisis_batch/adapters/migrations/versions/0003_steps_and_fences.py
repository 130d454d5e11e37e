"""Steps of the schema are written down; runs keep the fence they were committed with; mails need no receipt"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None
phase = "before"

PLACED = sa.text("lane_place > 0")


def upgrade() -> None:
    op.create_table(
        "schema_step",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_schema_step")),
        sa.UniqueConstraint("name", name=op.f("uq_schema_step_name")),
    )
    op.execute("INSERT INTO schema_step (name, phase) VALUES ('0001', 'before'), ('0002', 'before')")
    op.add_column("run", sa.Column("fence", sa.BigInteger(), nullable=True))
    # a version that knows no lanes leaves the place at 0 for every receipt it records
    op.drop_index("in_lane_order", "receipt")
    op.create_index(
        "in_lane_order",
        "receipt",
        ["lane", "lane_place"],
        unique=True,
        sqlite_where=PLACED,
        postgresql_where=PLACED,
    )
    # reminders and ended contracts are told in messages that no received file caused
    with op.batch_alter_table("mail", schema=None) as batch_op:
        batch_op.drop_constraint("fk_mail_guid", type_="foreignkey")


def downgrade() -> None:
    with op.batch_alter_table("mail", schema=None) as batch_op:
        batch_op.create_foreign_key("fk_mail_guid", "receipt", ["guid"], ["guid"])
    op.drop_index("in_lane_order", "receipt")
    op.create_index("in_lane_order", "receipt", ["lane", "lane_place"], unique=True)
    op.drop_column("run", "fence")
    op.drop_table("schema_step")
