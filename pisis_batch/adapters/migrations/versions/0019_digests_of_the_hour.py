"""Messages that list others, found by their hour: an address is not looked for among all that was ever said to it"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None
phase = "before"

_DIGEST = sa.text("kind = 'resumen'")


def upgrade() -> None:
    op.create_index("ix_mail_digest", "mail", ["next_try", "recipient"], sqlite_where=_DIGEST, postgresql_where=_DIGEST)


def downgrade() -> None:
    op.drop_index("ix_mail_digest", "mail")
