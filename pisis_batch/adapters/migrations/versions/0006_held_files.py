"""Held files: the hash of their plan, who approved it, and the cut date that tells attempts of one report"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("run", sa.Column("cut_date", sa.Text(), nullable=True))
    op.add_column("run", sa.Column("plan", sa.Text(), nullable=True))
    op.create_table(
        "approval",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_approval_run_id")),
        sa.PrimaryKeyConstraint("run_id", "login", name=op.f("pk_approval")),
    )


def downgrade() -> None:
    op.drop_table("approval")
    op.drop_column("run", "plan")
    op.drop_column("run", "cut_date")
