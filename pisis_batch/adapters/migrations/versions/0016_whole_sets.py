"""No older version is left: lines of audit may be packed, which it cannot verify, and a set's entity is asked for once

PostgreSQL asks for the entity of every single row that is opened; whoever opens rows holds it locked instead.
"""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None
phase = "after"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("fk_link_entity_id", "link", type_="foreignkey")
        op.drop_constraint("fk_profile_grant_entity_id", "profile_grant", type_="foreignkey")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.create_foreign_key("fk_link_entity_id", "link", "entity", ["entity_id"], ["id"])
        op.create_foreign_key("fk_profile_grant_entity_id", "profile_grant", "entity", ["entity_id"], ["id"])
