"""Bringing the tables to this version, in steps that a running older version survives.

A migration has a phase. `before` (the default) only adds: tables, columns that may be null or have a default, indexes
that no older version can violate. It runs when the first process of the new version starts. `after` removes what only
older versions used; on PostgreSQL, where older versions may still run on other machines, it waits for
`pisis upgrade --finish`, and later steps that only add do not wait with it. SQLite has one machine: there both run at
once. The worker engine's own migrations follow the same two phases. `schema_step` tells what was done, so that an older
version that restarts knows whether it may.
"""

import importlib.util
from collections.abc import Iterator
from importlib import resources
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from pisis_batch.adapters import sql_version
from pisis_batch.adapters.sql_tables import schema_step

if TYPE_CHECKING:  # Alembic takes its time to load, and most starts have nothing to bring
    from alembic.config import Config
    from alembic.script import Script, ScriptDirectory

BEFORE, AFTER = "before", "after"
_LOCK = 706973  # any number, the same in every version


class SchemaError(RuntimeError):
    """The tables are not for this version; the message is a plain Spanish sentence."""


def migrate(engine: sa.Engine, *, finish: bool = False) -> list[str]:
    """Run the steps that may run now, one process at a time; the names of those that wait for `finish`."""
    cluster = engine.dialect.name == "postgresql"
    with engine.begin() as connection:
        if cluster:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        current = connection.scalar(_CURRENT) if sa.inspect(connection).has_table("alembic_version") else None
        waiting: list[str] = []
        if current != sql_version.newest():
            config, script = _script(connection)
            if current is not None and not _known(script, current):
                _tolerate(connection, script)
                return []
            waiting = _run(connection, config, script, current, finish=finish or not cluster or current is None)
        if cluster:
            waiting += _worker_engine(connection, finish=finish)
    return waiting


_CURRENT = sa.text(sql_version.CURRENT)


def _script(connection: sa.Connection) -> "tuple[Config, ScriptDirectory]":
    from alembic.config import Config  # noqa: PLC0415 see above
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    settings = Config()
    folder = resources.files("pisis_batch.adapters") / "migrations"
    settings.set_main_option("script_location", str(folder).replace("%", "%%"))
    settings.attributes["connection"] = connection
    return settings, ScriptDirectory.from_config(settings)


def _known(script: "ScriptDirectory", revision: str) -> bool:
    return any(known.revision == revision for known in script.walk_revisions())


def phase(step: "Script") -> str:
    """`before` or `after`, as the migration's module says."""
    return str(getattr(step.module, "phase", BEFORE))


def _run(
    connection: sa.Connection, config: "Config", script: "ScriptDirectory", current: str | None, *, finish: bool
) -> list[str]:
    from alembic import command  # noqa: PLC0415 see above

    steps = [step for step in script.iterate_revisions("head", current or "base") if step.revision != current]
    early = set(connection.scalars(sa.select(schema_step.c.name))) if _is_noted(connection) else set()
    waiting: list[str] = []
    for step in reversed(steps):
        if phase(step) == AFTER and not finish:
            waiting.append(step.revision)
        elif waiting:
            if step.revision not in early:  # what is added need not wait for what is taken away before it
                _added(connection, step)
        elif step.revision in early:
            command.stamp(config, step.revision)
        else:
            command.upgrade(config, step.revision)
            _done(connection, step.revision, phase(step))
    return waiting


def _added(connection: sa.Connection, step: "Script") -> None:
    """Run a step whose turn in the chain has not come; it is passed over when it comes."""
    from alembic.migration import MigrationContext  # noqa: PLC0415 see above
    from alembic.operations import Operations  # noqa: PLC0415

    with Operations.context(MigrationContext.configure(connection)):
        step.module.upgrade()
    _done(connection, step.revision, phase(step))


def _done(connection: sa.Connection, name: str, phase_: str) -> None:
    """Write a step down, once there is where."""
    if _is_noted(connection):
        connection.execute(schema_step.insert().values(name=name, phase=phase_))


def _is_noted(connection: sa.Connection) -> bool:
    return sa.inspect(connection).has_table(schema_step.name)


def _tolerate(connection: sa.Connection, script: "ScriptDirectory") -> None:
    """Tables newer than this version are fine as long as nothing was taken away from them."""
    ours = {step.revision for step in script.walk_revisions()}
    theirs = connection.execute(sa.select(schema_step.c.name, schema_step.c.phase)).all()
    taken = [name for name, phase_ in theirs if name.isdigit() and name not in ours and phase_ == AFTER]
    if taken:
        raise SchemaError(
            f"la base de datos ya es de una versión posterior (paso {taken[0]}): instale aquí la misma versión que "
            "en las demás máquinas"
        )


def _worker_engine(connection: sa.Connection, *, finish: bool) -> list[str]:
    """The tables of the worker engine, when it is installed: whole at first, then each release's own migrations."""
    if importlib.util.find_spec("procrastinate") is None:
        return []
    folder = resources.files("procrastinate.sql")
    names = sorted(path.name for path in (folder / "migrations").iterdir() if path.name.endswith(".sql"))
    if connection.scalar(sa.text("SELECT to_regclass('procrastinate_jobs')")) is None:
        _execute(connection, (folder / "schema.sql").read_text("utf-8"))
        for name in names:
            _done(connection, name, BEFORE)
        return []
    seen = set(connection.scalars(sa.select(schema_step.c.name)))
    new = [name for name in names if name not in seen]
    for place, name in enumerate(new):
        later = "_post_" in name
        if later and not finish:
            return new[place:]
        _execute(connection, (folder / "migrations" / name).read_text("utf-8"))
        _done(connection, name, AFTER if later else BEFORE)
    return []


def _execute(connection: sa.Connection, script: str) -> None:
    """A script of several statements, within the caller's transaction."""
    raw: Any = connection.connection.driver_connection
    with raw.cursor() as cursor:
        cursor.execute(script.encode())


def steps(engine: sa.Engine) -> Iterator[tuple[str, str]]:
    """(name, phase) of every step done, in order."""
    with engine.begin() as connection:
        rows = connection.execute(sa.select(schema_step.c.name, schema_step.c.phase).order_by(schema_step.c.seq)).all()
    yield from ((row.name, row.phase) for row in rows)
