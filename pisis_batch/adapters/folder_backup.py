"""A copy of a workspace that can be restored: the database first, as of one moment, then every original it names.

    respaldo/
      respaldo.json   when, the SHA-256 of the database, the end of the audit's chain
      registry.db     SQLite only: PostgreSQL is dumped by its own tools, before
      originales/ab/abcdef…
      llaves  pisis.toml

The folder may be used again: originals that are there are not copied twice, those that no receipt needs any more go.
"""

import contextlib
import hashlib
import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pisis_batch.adapters import durable
from pisis_batch.adapters.folder_archive import FolderArchive
from pisis_batch.adapters.sql_registry import SqlRegistry
from pisis_batch.adapters.sqlite_driver import looking
from pisis_batch.ports import Archive

DATABASE, SAID, KEYS, SETTINGS = "registry.db", "respaldo.json", "llaves", "pisis.toml"
_ORIGINALS = "originales"
_CHUNK = 1 << 20


class BackupError(ValueError):
    """A backup cannot be made or used; the message is a plain Spanish sentence."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A folder with a copy in it."""

    folder: Path

    def make(
        self, registry: SqlRegistry, archive: Archive | None, files: Iterable[tuple[str, Path]], at: str
    ) -> dict[str, Any]:
        """Copy; what was said in `respaldo.json`. `archive`: None when the originals are not on this machine.

        Raises BackupError when the folder holds something else.
        """
        self._prepare()
        head = registry.audit_head()
        said: dict[str, Any] = {"at": at, "head": str(head), "database": None, "originals": 0, "lost": []}
        if registry.engine.dialect.name == "sqlite":
            said["database"] = self._database(registry)
        if archive is not None:
            said["originals"], said["lost"] = self._originals(registry, archive)
        for name, path in files:
            durable.write(self.folder / name, path.read_bytes(), 0o600)
        durable.write(self.folder / SAID, json.dumps(said, indent=1, ensure_ascii=False).encode(), 0o600)
        return said

    def _prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        strange = [path.name for path in self.folder.iterdir() if path.name not in _OURS]
        if strange:
            raise BackupError(f"en {self.folder} hay algo que no es un respaldo ({strange[0]}): indique otra carpeta")
        self.folder.chmod(0o700)

    def _database(self, registry: SqlRegistry) -> str:
        """The database as of now, whoever writes meanwhile; its SHA-256."""
        new = self.folder / f".{DATABASE}.tmp"
        new.unlink(missing_ok=True)
        raw = registry.engine.raw_connection()
        try:
            held: Any = raw.driver_connection
            held.execute("VACUUM INTO ?", (str(new),))
        finally:
            raw.close()
        new.chmod(0o600)
        with new.open("rb") as file:
            durable.sync(file)
        new.replace(self.folder / DATABASE)
        durable.sync_folder(self.folder)
        return _sha256(self.folder / DATABASE)

    def _originals(self, registry: SqlRegistry, archive: Archive) -> tuple[int, list[str]]:
        """Originals after the database, so that none it names is missing; how many, and those not to be had."""
        copied = self.folder / DATABASE
        named = _named(copied) if copied.exists() else dict.fromkeys(sha256 for sha256, _ in registry.originals())
        kept = FolderArchive(self.folder / _ORIGINALS)
        lost = []
        for sha256 in named:
            if kept.has(sha256):
                continue
            try:
                kept.put(sha256, archive.fetch(sha256)[:])
            except (KeyError, ValueError):
                lost.append(sha256)
        for path in list((self.folder / _ORIGINALS).glob("??/*")):
            if path.name not in named:
                path.unlink()
        return len(named) - len(lost), lost

    def said(self) -> dict[str, Any]:
        """What a copy says of itself. Raises BackupError when it is none, or not whole."""
        try:
            said: dict[str, Any] = json.loads((self.folder / SAID).read_text("utf-8"))
        except (OSError, ValueError):
            raise BackupError(f"{self.folder} no es un respaldo completo: falta {SAID}") from None
        if said["database"] and _sha256(self.folder / DATABASE) != said["database"]:
            raise BackupError("la base de datos del respaldo no es la que se copió: use otro respaldo")
        return said

    def restore_database(self, target: Path) -> None:
        """Put the database in its place. Raises BackupError when there is one already."""
        if target.exists():
            raise BackupError(f"ya hay una base en {target}: un respaldo no se restaura encima, apártela antes")
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        shutil.copyfile(self.folder / DATABASE, target)
        target.chmod(0o600)
        with target.open("rb") as file:
            durable.sync(file)
        durable.sync_folder(target.parent)

    def restore_originals(self, archive: FolderArchive) -> int:
        """Put every original in its place, unless it is there; how many. What is missing, a check will tell."""
        kept = FolderArchive(self.folder / _ORIGINALS)
        many = 0
        for sha256 in [path.name for path in (self.folder / _ORIGINALS).glob("??/*")]:
            if archive.has(sha256):
                continue
            with contextlib.suppress(KeyError, ValueError):
                archive.put(sha256, kept.fetch(sha256)[:])
                many += 1
        return many


_OURS = {DATABASE, SAID, KEYS, SETTINGS, _ORIGINALS, *(f".{name}.tmp" for name in (DATABASE, SAID, KEYS, SETTINGS))}


def _named(database: Path) -> dict[str, None]:
    """The originals that a copied database still needs."""
    held = looking(database)
    try:
        rows = held.execute(
            "SELECT DISTINCT sha256 FROM receipt WHERE unread = '' AND NOT EXISTS"
            " (SELECT 1 FROM erasure WHERE erasure.guid = receipt.guid AND kind = 'originales')"
        ).fetchall()
    finally:
        held.close()
    return {str(sha256): None for (sha256,) in rows}


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except OSError:
        raise BackupError(f"falta {path.name} en el respaldo") from None
    return digest.hexdigest()
