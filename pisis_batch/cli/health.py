"""What `pisis doctor` asks: the compiled walk, the clock, the workers, what waits, an upgrade's steps, the store."""

from collections.abc import Callable, Iterator
from typing import Any

from pisis_batch.ports import UnavailableError
from pisis_batch.settings import Settings

_SKEW_SECONDS = 5.0
_OLD_SECONDS = 900.0


class UnwellError(Exception):
    """Something that must be mended; the message says what."""


def checks(settings: Settings) -> Iterator[tuple[str, Callable[[], str]]]:
    """(what, how to ask) for each part that this workspace has."""
    yield "archivos grandes", _walk
    yield "llaves", lambda: _with_registry(settings, lambda registry: _keys(settings, registry))
    yield "interrupciones", lambda: _with_registry(settings, _interrupted)
    if settings.database.get_secret_value().startswith("postgresql"):
        yield "reloj del servidor", lambda: _with_registry(settings, _skew)
        yield "registro del servidor", lambda: _with_registry(settings, _server_log)
        yield "actualización", lambda: _with_registry(settings, _upgrade)
        yield "trabajadores", lambda: _with_registry(settings, _workers)
    if settings.storage.get_secret_value() != "folder":
        yield "almacén", lambda: _store(settings)


def _walk() -> str:
    from pisis_batch.walking import AVAILABLE

    if AVAILABLE:
        return "recorrido compilado"
    return "sin el recorrido compilado: se leen completos, más despacio; instale un compilador de C y vuelva a instalar"


def _with_registry(settings: Settings, ask: Callable[[Any], str]) -> str:
    from pisis_batch.adapters.sql_registry import SqlRegistry

    registry = SqlRegistry(settings.database.get_secret_value())
    registry.lease_seconds = settings.lease_seconds
    try:
        return ask(registry)
    finally:
        registry.close()


def _keys(settings: Settings, registry: Any) -> str:
    from pisis_batch.adapters import keyring, sql_chain

    try:
        ring = keyring.load(settings.keys)
    except keyring.KeyringError as error:
        raise UnwellError(str(error)) from None
    with registry.engine.connect() as connection:
        missing = sorted(key for key in sql_chain.signers(connection) if ring.key(key) is None)
    if missing:
        raise UnwellError(
            f"faltan las llaves {', '.join(missing)}: todas las máquinas usan el mismo {settings.keys.name}"
        )
    return f"{len(ring.keys)}, en uso {ring.current.id}; solo las puede leer el servicio"


def _interrupted(registry: Any) -> str:
    from pisis_batch.adapters.sql_figures import interrupted

    with registry.engine.connect() as connection:
        many = interrupted(connection)
    if not many:
        return "el servicio no ha muerto dos veces con un mismo archivo en mano"
    return f"{many} archivos esperan y más de una muerte del servicio los halló en mano: vea que-hacer.md"


def _skew(registry: Any) -> str:
    from pisis_batch.adapters.sql_clock import DatabaseClock

    skew = DatabaseClock(registry.engine).skew()
    if abs(skew) > _SKEW_SECONDS:
        raise UnwellError(f"el reloj de esta máquina difiere {skew:+.0f} s del servidor: sincronícelo (NTP)")
    return f"difiere {skew:+.1f} s de esta máquina"


def _server_log(registry: Any) -> str:
    from sqlalchemy import text

    with registry.engine.connect() as connection:
        shown = connection.execute(text("SHOW log_error_verbosity")).scalar_one()
        said = connection.execute(text("SHOW log_min_error_statement")).scalar_one()
    if shown == "terse" and said in {"panic", "fatal", "log"}:
        return "no escribe valores de filas"
    return "puede escribir valores de una fila que falla: vea «El registro de PostgreSQL» en operacion-cluster.md"


def _upgrade(registry: Any) -> str:
    waiting = registry.migrate()
    if waiting:
        return f"esperan {len(waiting)} pasos: cuando todas las máquinas estén al día, «pisis upgrade --finish»"
    return "completa"


def _workers(registry: Any) -> str:
    from pisis_batch.adapters.sql_figures import figures

    with registry.engine.connect() as connection:
        now = figures(connection, registry.lease_seconds)
    files = sum(many for (queue, status), many in now.jobs.items() if queue != "tareas" and status == "todo")
    if files and not now.workers:
        raise UnwellError(f"{files} archivos esperan y no hay trabajadores: arranque «pisis worker»")
    if now.oldest > _OLD_SECONDS:
        raise UnwellError(f"el archivo más antiguo espera hace {now.oldest / 60:.0f} minutos: agregue trabajadores")
    silent = f", {now.silent} sin señales" if now.silent else ""
    return f"{now.workers} colas atendidas{silent}; {files} archivos esperan, el más antiguo hace {now.oldest:.0f} s"


def _store(settings: Settings) -> str:
    from pisis_batch.adapters import object_store

    try:
        object_store.probe(object_store.store(settings.storage.get_secret_value(), settings.storage_ca))
    except (UnavailableError, ValueError) as error:  # their text is ours
        raise UnwellError(str(error).removeprefix("almacén: ")) from None
    return "se escribe, se lee y se borra"
