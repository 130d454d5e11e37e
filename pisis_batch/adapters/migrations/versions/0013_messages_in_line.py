"""Messages still to go out, and those of a recipient, found by an index and not by reading every message"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None
phase = "before"

_SQLITE = sa.text("sent_at IS NULL AND refused = 0 AND digest IS NULL")
_POSTGRESQL = sa.text("sent_at IS NULL AND NOT refused AND digest IS NULL")


def upgrade() -> None:
    op.create_index("ix_mail_waiting", "mail", ["next_try"], sqlite_where=_SQLITE, postgresql_where=_POSTGRESQL)
    op.create_index("ix_mail_recipient", "mail", ["recipient", "sent_at"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_mail_recipient", "mail")
    op.drop_index("ix_mail_waiting", "mail")
