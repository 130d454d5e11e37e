"""The registry's tables. Links and grants keep their history: a row is open while `valid_to` is null.

Times are ISO 8601 text with their offset (America/Bogota), dates AAAA-MM-DD text: they sort as they read, and mean the
same in every database. `*_guid` and `*_line` say which receipt and line caused a row to open or close. `stored` holds
the accepted records of annexes that only store: a Parquet table for each receipt and record type.
"""

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _text(name: str, *, default: str | None = "") -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=default is None, server_default=default)


def _who() -> list[sa.Column[str]]:
    return [sa.Column("tipo_id", sa.Text, nullable=False), sa.Column("num_id", sa.Text, nullable=False)]


def _of_entity() -> sa.Column[int]:
    # PostgreSQL would ask for it again for every row that is opened: there whoever opens rows holds the entity instead
    return sa.Column("entity_id", sa.ForeignKey("entity.id", info={"held": True}), nullable=False)


def _history() -> list[sa.Column[str] | sa.Column[int]]:
    return [
        sa.Column("valid_from", sa.Text, nullable=False),
        sa.Column("valid_to", sa.Text),
        sa.Column("from_guid", sa.Text, nullable=False),
        sa.Column("from_line", sa.Integer),
        sa.Column("to_guid", sa.Text),
        sa.Column("to_line", sa.Integer),
    ]


person = sa.Table(
    "person",
    metadata,
    *_who(),
    *(_text(n) for n in ("primer_nombre", "segundo_nombre", "primer_apellido", "segundo_apellido", "correo_personal")),
    sa.PrimaryKeyConstraint("tipo_id", "num_id"),
)
entity = sa.Table(
    "entity",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    *_who(),
    *(_text(n) for n in ("razon_social", "tipo_entidad", "municipio", "correo_institucional")),
    sa.Column("correo_confirmado", sa.Boolean, nullable=False),
    *(_text(n) for n in ("rep_tipo_id", "rep_num_id", "contacto_tipo_id", "contacto_num_id")),
    sa.Column("activa", sa.Boolean, nullable=False),
    sa.UniqueConstraint("tipo_id", "num_id"),
)
link = sa.Table(
    "link",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    _of_entity(),
    *_who(),
    *(_text(n) for n in ("primer_nombre", "primer_apellido", "telefono", "cargo", "contrato_indefinido", "fecha_fin")),
    _text("correo"),
    sa.Column("correo_confirmado", sa.Boolean, nullable=False, server_default=sa.false()),
    *_history(),
)
grant = sa.Table(
    "profile_grant",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    _of_entity(),
    *_who(),
    sa.Column("aplicacion", sa.Text, nullable=False),
    sa.Column("perfil", sa.Text, nullable=False),
    *_history(),
)
for _table, _keys in (
    (link, ("entity_id", "tipo_id", "num_id")),
    (grant, ("entity_id", "tipo_id", "num_id", "aplicacion")),
):
    sa.Index(
        f"one_open_{_table.name}",
        *(_table.c[key] for key in _keys),
        unique=True,
        sqlite_where=_table.c.valid_to.is_(None),
        postgresql_where=_table.c.valid_to.is_(None),
    )
sa.Index("ix_link_person", link.c.tipo_id, link.c.num_id)
sa.Index("ix_grant_person", grant.c.tipo_id, grant.c.num_id)
profile = sa.Table(
    "profile",
    metadata,
    sa.Column("codigo", sa.Text, nullable=False),
    sa.Column("cod_aplicacion", sa.Text, nullable=False),
    *(_text(n) for n in ("nombre", "nombre_aplicacion", "tipos_entidad")),
    sa.Column("habilitado", sa.Boolean, nullable=False),
    sa.PrimaryKeyConstraint("codigo", "cod_aplicacion"),
)
period = sa.Table(
    "period",
    metadata,
    *(sa.Column(n, sa.Text, nullable=False) for n in ("anexo", "inicio", "corte", "reporte_desde", "reporte_hasta")),
    sa.PrimaryKeyConstraint("anexo", "inicio", "corte"),
)
receipt = sa.Table(
    "receipt",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True),
    sa.Column("guid", sa.Text, nullable=False, unique=True),
    sa.Column("file_name", sa.Text, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False, index=True),
    sa.Column("md5", sa.Text, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("sender", sa.Text),
    sa.Column("received_at", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("interruptions", sa.Integer, nullable=False, server_default="0"),  # the service died with it in hand
    sa.Column("lane", sa.Text, nullable=False, server_default=""),
    sa.Column("lane_place", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("fence", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("unread", sa.Text, nullable=False, server_default=""),
    sa.Column("signed", sa.Text, nullable=False, server_default=""),  # how; the signature beside it, if it lay there
    sa.Column("signature", sa.LargeBinary),
)
sa.Index(
    "in_lane_order",
    receipt.c.lane,
    receipt.c.lane_place,
    unique=True,
    sqlite_where=receipt.c.lane_place > 0,
    postgresql_where=receipt.c.lane_place > 0,
)
#: Of thousands that wait those of a lane are found; before what is left of the key it is an index of states.
sa.Index("ix_receipt_waiting", receipt.c.state, receipt.c.lane, receipt.c.lane_place)
sa.Index(
    "one_running",
    receipt.c.lane,
    unique=True,
    sqlite_where=receipt.c.state == "procesando",
    postgresql_where=receipt.c.state == "procesando",
)
lane = sa.Table(
    "lane",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("last_place", sa.BigInteger, nullable=False),
    sa.Column("fence", sa.BigInteger, nullable=False),
    sa.Column("owner", sa.Text),
    sa.Column("lease_until", sa.Double),  # seconds since 1970
)
revision = sa.Table(
    "revision",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False),
)
run = sa.Table(
    "run",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("guid", sa.ForeignKey("receipt.guid"), nullable=False, index=True),
    sa.Column("latest", sa.Boolean, nullable=False),
    sa.Column("verdict", sa.Text, nullable=False),
    sa.Column("entity_type", sa.Text),
    sa.Column("entity_number", sa.Text),
    sa.Column("annex", sa.Text),
    sa.Column("version", sa.Text),
    sa.Column("ruleset", sa.Text, nullable=False),
    sa.Column("counts", sa.JSON, nullable=False),
    sa.Column("changes", sa.JSON, nullable=False),
    sa.Column("errors", sa.Integer, nullable=False),
    sa.Column("published", sa.Boolean, nullable=False),
    sa.Column("fence", sa.BigInteger),  # the attempt that ended in this run
    sa.Column("cut_date", sa.Text),
    sa.Column("at", sa.Text),  # when it ended; unknown of those of earlier versions
    sa.Column("plan", sa.Text),  # hash of the plan that a held file waits with
)
#: Runs whose documents are not in the outbox yet are few beside all others.
UNPUBLISHED = sa.and_(run.c.latest, ~run.c.published)
sa.Index("ix_run_unpublished", run.c.id, sqlite_where=UNPUBLISHED, postgresql_where=UNPUBLISHED)
approval = sa.Table(
    "approval",
    metadata,
    sa.Column("run_id", sa.ForeignKey("run.id"), nullable=False),
    sa.Column("login", sa.Text, nullable=False),
    sa.Column("at", sa.Text, nullable=False),
    sa.PrimaryKeyConstraint("run_id", "login"),
)
finding = sa.Table(
    "finding",
    metadata,
    sa.Column("run_id", sa.ForeignKey("run.id"), nullable=False),
    sa.Column("seq", sa.Integer, nullable=False),
    sa.Column("code", sa.Text, nullable=False, index=True),
    sa.Column("severity", sa.Text, nullable=False),
    sa.Column("stage", sa.Text, nullable=False),
    sa.Column("line", sa.Integer),
    sa.Column("record", sa.Text),
    sa.Column("field_no", sa.Integer),
    sa.Column("field", sa.Text),
    sa.Column("value", sa.Text),
    sa.Column("details", sa.Text),
    sa.PrimaryKeyConstraint("run_id", "seq"),
)
document = sa.Table(
    "document",
    metadata,
    sa.Column("run_id", sa.ForeignKey("run.id"), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("media_type", sa.Text, nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),  # zlib
    sa.PrimaryKeyConstraint("run_id", "name"),
)
mail = sa.Table(
    "mail",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("guid", sa.Text, nullable=False, index=True),  # a receipt's, or that of a notice about no file
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("recipient", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("message_id", sa.Text, nullable=False, unique=True),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("next_try", sa.Text, nullable=False),
    sa.Column("sent_at", sa.Text, index=True),
    sa.Column("last_error", sa.Text),
    sa.Column("refused", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("digest", sa.Text),  # Message-ID of the digest that goes out instead
)
#: Messages still to go out are few beside those that went: whoever looks for them looks through nothing else.
MAIL_WAITING_BESIDES = (~mail.c.refused, mail.c.digest.is_(None))
MAIL_WAITING = sa.and_(mail.c.sent_at.is_(None), *MAIL_WAITING_BESIDES)
sa.Index("ix_mail_waiting", mail.c.next_try, sqlite_where=MAIL_WAITING, postgresql_where=MAIL_WAITING)
sa.Index("ix_mail_recipient", mail.c.recipient, mail.c.sent_at)
#: Messages that list others, of which there are at most one an hour for an address.
MAIL_DIGEST = mail.c.kind == sa.literal_column("'resumen'")
sa.Index("ix_mail_digest", mail.c.next_try, mail.c.recipient, sqlite_where=MAIL_DIGEST, postgresql_where=MAIL_DIGEST)
audit = sa.Table(
    "audit",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("guid", sa.Text, nullable=False, index=True),
    sa.Column("line", sa.Integer),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("who", sa.Text),  # the login of whoever decided; may be taken away
    sa.Column("who_key", sa.Text),  # the keyed hash that stands for it in the chain
    sa.Column("batch", sa.BigInteger),  # the link that signs it
    sa.Column("many", sa.Integer),  # how many entries it stands for, when they are packed in `lines`
    sa.Column("lines", sa.LargeBinary),  # the line of each (`sql_trail.unpacked`)
)
chain = sa.Table(
    "audit_chain",
    metadata,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("batch", sa.BigInteger, nullable=False, unique=True),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("guid", sa.Text, nullable=False),
    sa.Column("entries", sa.Integer, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),  # SHA-256 of its entries
    sa.Column("previous", sa.Text, nullable=False, unique=True),
    sa.Column("key", sa.Text, nullable=False),  # which key signed it
    sa.Column("hash", sa.Text, nullable=False),
)
erasure = sa.Table(
    "erasure",
    metadata,
    sa.Column("guid", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("done", sa.Boolean, nullable=False),  # what lies outside the registry is gone too
)
schema_step = sa.Table(
    "schema_step",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("phase", sa.Text, nullable=False),  # before or after, see sql_migrate
)
stored = sa.Table(
    "stored",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("guid", sa.ForeignKey("receipt.guid"), nullable=False, index=True),
    sa.Column("annex", sa.Text, nullable=False),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("record", sa.Text, nullable=False),
    sa.Column("entity_type", sa.Text, nullable=False),
    sa.Column("entity_number", sa.Text, nullable=False),
    sa.Column("period", sa.Text, nullable=False),
    sa.Column("within", sa.Text, nullable=False),  # JSON object of what else tells the file apart, or empty
    sa.Column("unique_key", sa.Text, nullable=False),  # JSON list of columns when records go by their key, or empty
    sa.Column("control", sa.Boolean, nullable=False),
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),  # Parquet: _linea, _accion, the fields as text
    sa.Column("valid_from", sa.Text, nullable=False),
    sa.Column("valid_to", sa.Text),
    sa.Column("to_guid", sa.Text),
)
sa.Index("ix_run_report", run.c.entity_number, run.c.cut_date, run.c.annex)
sa.Index("ix_entity_rep", entity.c.rep_num_id, entity.c.rep_tipo_id)
sa.Index("ix_entity_contacto", entity.c.contacto_num_id, entity.c.contacto_tipo_id)
sa.Index("ix_stored_place", stored.c.annex, stored.c.entity_type, stored.c.entity_number, stored.c.record)
