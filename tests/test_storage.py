"""Originals and documents in an object store: what one machine put there, another finds."""

import json
from pathlib import Path

import obstore
import pytest
from conftest import GOOD, filled
from test_service import drop
from test_workers import until, worker
from worlds import NOW, file_of

from pisis_batch import service, wiring
from pisis_batch.adapters import object_store
from pisis_batch.adapters.object_store import ObjectArchive
from pisis_batch.ports import UnavailableError
from pisis_batch.settings import FILE, Settings, SettingsError


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_worker_on_another_machine_processes_what_this_one_took_in(
    tmp_path: Path, database: str, bucket: str
) -> None:
    here, there = tmp_path / "intake", tmp_path / "worker"
    for machine in (here, there):
        machine.mkdir()
        (machine / FILE).write_text(f'database = "{database}"\nstorage = "{bucket}"\n', "utf-8")
    ports = filled(wiring.ports(Settings.load(here, now=NOW, settle_seconds=0), workers=True))
    drop(here, file_of(GOOD))
    (guid,) = service.take_in(ports)
    with worker(there) as ended:
        until(lambda: ended == [guid] and ports.outbox.has("CC10000001", guid))
    objects = object_store.store(bucket)
    ack = json.loads(bytes(obstore.get(objects, f"salida/CC10000001/{guid}/ack.json").bytes()))
    assert ack["verdict"] == "cargado"
    assert ports.archive.fetch(ack["sha256"]) == file_of(GOOD)
    assert not (here / "var/archive").exists()
    object_store.probe(objects)
    ports.registry.close()  # type: ignore[attr-defined]  # the database adapter has it


def test_an_original_is_sent_once_and_a_changed_one_is_noticed(bucket: str, tmp_path: Path) -> None:
    objects = object_store.store(bucket)
    archive = ObjectArchive(objects, tmp_path / "spool")
    (tmp_path / "a").write_bytes(b"uno")
    sha256, _, _ = archive.keep(tmp_path / "a")
    first = obstore.head(objects, f"originales/{sha256[:2]}/{sha256}")
    archive.keep(tmp_path / "a")
    assert obstore.head(objects, f"originales/{sha256[:2]}/{sha256}") == first
    assert list((tmp_path / "spool").iterdir()) == []
    obstore.put(objects, f"originales/{sha256[:2]}/{sha256}", b"otro")
    with pytest.raises(ValueError, match="no longer matches"):
        archive.fetch(sha256)


def test_a_store_that_is_away_is_no_file_fault(bucket: str, tmp_path: Path) -> None:
    away = object_store.store("s3://nobody/x?endpoint=http://127.0.0.1:9")
    with pytest.raises(UnavailableError, match="almacén"):
        object_store.probe(away)


@pytest.mark.parametrize("target", ["http://x", "s3:///x", "s3://x?endpont=http://y"])
def test_an_address_that_cannot_be_meant_is_told(target: str, tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(f'storage = "{target}"\n', "utf-8")
    with pytest.raises(SettingsError, match="cubeta"):
        wiring.storage(Settings.load(tmp_path))
