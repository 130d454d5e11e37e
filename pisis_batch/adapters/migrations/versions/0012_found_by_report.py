"""Earlier attempts and whom a person represents, found by an index and not by reading every row"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None
phase = "before"


def upgrade() -> None:
    op.create_index("ix_run_report", "run", ["entity_number", "cut_date", "annex"], unique=False)
    op.create_index("ix_entity_rep", "entity", ["rep_num_id", "rep_tipo_id"], unique=False)
    op.create_index("ix_entity_contacto", "entity", ["contacto_num_id", "contacto_tipo_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_entity_contacto", "entity")
    op.drop_index("ix_entity_rep", "entity")
    op.drop_index("ix_run_report", "run")
