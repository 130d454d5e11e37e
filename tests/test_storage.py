"""Originals and documents in an object store: what one machine put there, another finds."""

import contextlib
import json
import os
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import obstore
import pytest
from certificates import DAY, made, name, private
from click.testing import CliRunner
from conftest import EACH_STORE, GOOD, STORES, filled
from obstore.exceptions import AlreadyExistsError, GenericError
from obstore.store import S3Store
from radosgw import Gateway
from test_ports import GUID
from test_retention import WRONG, later
from test_service import drop
from test_workers import until, worker
from worlds import NOW, file_of

from pisis_batch import service, wiring
from pisis_batch.adapters import object_store
from pisis_batch.adapters.object_store import ObjectArchive, ObjectOutbox
from pisis_batch.cli import root
from pisis_batch.model import Attachment
from pisis_batch.ports import UnavailableError
from pisis_batch.settings import FILE, TEMPLATE, Settings, SettingsError


@EACH_STORE
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


@EACH_STORE
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


@pytest.mark.parametrize("bucket", ["moto"], indirect=True)
def test_a_small_file_that_is_sent_is_not_synced_here_and_no_copy_stays(
    bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = tmp_path / "spool"
    spool.mkdir()
    (spool / ".viejo.0.tmp").write_bytes(b"x")  # of one who died over it
    os.utime(spool / ".viejo.0.tmp", (0, 0))
    (tmp_path / "a").write_bytes(b"uno")
    monkeypatch.setattr(os, "fsync", lambda handle: pytest.fail(f"{handle} was synced"))
    archive = ObjectArchive(object_store.store(bucket), spool)
    sha256, _, _ = archive.keep(tmp_path / "a")
    assert archive.fetch(sha256) == b"uno"
    assert list(spool.iterdir()) == []
    with monkeypatch.context() as patch:
        patch.setattr(obstore, "put", lambda *_, **__: pytest.fail("sent twice"))
        archive.keep(tmp_path / "a")
    monkeypatch.setattr(archive, "_there", lambda *_: False)
    monkeypatch.setattr(obstore, "put", _away)
    with pytest.raises(UnavailableError):
        archive.keep(tmp_path / "a")
    assert list(spool.iterdir()) == []


def _away(*_: object) -> None:
    raise GenericError("away")


@EACH_STORE
def test_an_original_of_megabytes_goes_in_parts(bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    objects, content = object_store.store(bucket), bytes(range(256)) * 50_000
    archive = ObjectArchive(objects, tmp_path / "spool")
    (tmp_path / "a").write_bytes(content)
    sha256, _, size = archive.keep(tmp_path / "a")
    kept = obstore.head(objects, f"originales/{sha256[:2]}/{sha256}")
    assert (size, kept["size"]) == (12_800_000, 12_800_000)
    assert (kept["e_tag"] or "").strip('"').endswith("-3"), "three parts of 5 MiB at most"
    assert archive.fetch(sha256) == content
    monkeypatch.setattr(object_store, "LARGE", 4_000_000)
    assert archive.fetch(sha256)[:] == content
    assert not archive.erase(sha256, lambda: True)
    assert archive.fetch(sha256)[:] == content
    assert archive.erase(sha256, lambda: False)
    assert not archive.has(sha256)


@EACH_STORE
def test_what_is_there_is_not_written_over(bucket: str) -> None:
    """A conditional put: ours need none, since the name of an original is its content; a later one may rely on it."""
    objects = object_store.store(bucket)
    obstore.put(objects, "a", b"uno", mode="create")
    with pytest.raises(AlreadyExistsError):
        obstore.put(objects, "a", b"dos", mode="create")
    assert bytes(obstore.get(objects, "a").bytes()) == b"uno"


@EACH_STORE
def test_after_its_time_no_object_of_a_file_is_left(bucket: str, tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(f'{TEMPLATE}storage = "{bucket}"\n', "utf-8")
    ports = filled(wiring.ports(Settings.load(tmp_path, now=NOW, settle_seconds=0)))
    drop(tmp_path, WRONG)
    (outcome,) = service.once(ports)
    assert outcome.verdict == "rechazado"
    objects = object_store.store(bucket)
    kept = {path.partition("/")[0] for path in names(objects)}
    assert kept == {"originales", "salida"}
    assert service.fsck(ports).offenders == ()
    done = service.retain(later(ports))
    assert done["originales"] == done["documentos"] == 1
    assert names(objects) == []
    assert service.fsck(ports).offenders == ()
    ports.registry.close()  # type: ignore[attr-defined]  # the database adapter has it


def names(objects: S3Store) -> list[str]:
    return [found["path"] for batch in obstore.list(objects) for found in batch]


def nobody(bucket: str, patch: pytest.MonkeyPatch) -> str:
    patch.setenv("AWS_ACCESS_KEY_ID", "nadie")
    return bucket


def wrong_secret(bucket: str, patch: pytest.MonkeyPatch) -> str:
    patch.setenv("AWS_SECRET_ACCESS_KEY", "otra")
    return bucket


def no_bucket(bucket: str, patch: pytest.MonkeyPatch) -> str:
    return bucket.replace("s3://pisis-", "s3://otra-")


def nowhere(bucket: str, patch: pytest.MonkeyPatch) -> str:
    return "s3://nobody/x?endpoint=http://127.0.0.1:9"


Broken = Callable[[str, pytest.MonkeyPatch], str]


@pytest.mark.parametrize(
    ("broken", "bucket", "told"),
    [
        (nobody, "radosgw", "rechaza las claves"),  # the imitation asks for none
        (wrong_secret, "radosgw", "rechaza las claves"),
        *((no_bucket, server, "no existe la cubeta") for server in STORES),
        (nowhere, "moto", "no respondió"),
    ],
    indirect=["bucket"],
)
def test_a_store_that_refuses_or_is_away_is_told_and_is_no_file_fault(
    bucket: str, broken: Broken, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = broken(bucket, monkeypatch)
    objects = object_store.store(address)
    with pytest.raises(UnavailableError, match=told):
        object_store.probe(objects)
    archive = ObjectArchive(objects, tmp_path / "spool")
    (tmp_path / "a").write_bytes(b"uno")
    asked: list[Callable[[], object]] = [
        lambda: archive.keep(tmp_path / "a"),
        lambda: archive.fetch("0" * 64),
        lambda: archive.has("0" * 64),
        lambda: archive.erase("0" * 64, lambda: False),
        lambda: ObjectOutbox(objects).publish("CC10000001", GUID, [Attachment("ack.json", "application/json", b"{}")]),
    ]
    for ask in asked[: 1 if broken is nowhere else None]:  # each waits for a while before it gives up
        with pytest.raises(UnavailableError, match="almacén"):
            ask()
    (tmp_path / FILE).write_text(f'{TEMPLATE}storage = "{address}"\n', "utf-8")
    monkeypatch.chdir(tmp_path)
    shown = CliRunner().invoke(root, ["doctor"]).output
    assert re.search(f"✗ almacén: .*{told}", shown), shown


def test_a_file_waits_for_a_gateway_that_was_killed(
    gateway: Gateway, new_bucket: Callable[[str], str], tmp_path: Path
) -> None:
    (tmp_path / FILE).write_text(f'{TEMPLATE}storage = "{new_bucket("radosgw")}"\n', "utf-8")
    ports = filled(wiring.ports(Settings.load(tmp_path, now=NOW, settle_seconds=0)))
    drop(tmp_path, file_of(GOOD))
    (guid,) = service.take_in(ports)
    gateway.kill()
    try:
        assert service.once(ports) == []
        told = ports.registry.receipt(guid)
        assert told
        assert (told.state, told.attempts) == ("recibido", 0)
    finally:
        gateway.revive()
    (outcome,) = service.once(ports)
    assert (outcome.verdict, ports.outbox.has("CC10000001", guid)) == ("cargado", True)
    ports.registry.close()  # type: ignore[attr-defined]  # the database adapter has it


def secure(tmp_path: Path, address: str, ca: str = "ca.pem") -> Settings:
    (tmp_path / FILE).write_text(f'{TEMPLATE}storage = "{address}"\nstorage_ca = "{ca}"\n', "utf-8")
    return Settings.load(tmp_path, now=NOW, settle_seconds=0)


def test_over_tls_with_an_authority_of_ones_own_a_file_goes_all_the_way(
    gateway: Gateway, new_bucket: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ca.pem").write_bytes(private("127.0.0.1")[0].pem + gateway.ca.read_bytes())  # the old and the new
    settings = secure(tmp_path, new_bucket("radosgw").replace(gateway.url, gateway.secure))
    ports = filled(wiring.ports(settings))
    drop(tmp_path, file_of(GOOD))
    (outcome,) = service.once(ports)
    assert (outcome.verdict, ports.outbox.has("CC10000001", outcome.received.guid)) == ("cargado", True)
    ports.registry.close()  # type: ignore[attr-defined]  # the database adapter has it
    monkeypatch.chdir(tmp_path)
    assert "✓ almacén: se escribe, se lee y se borra" in CliRunner().invoke(root, ["doctor"]).output


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name_ in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name_, "prueba")


@pytest.fixture
def expired(tmp_path: Path, keys: None) -> Iterator[str]:
    """The address of a server whose certificate was good until yesterday."""
    authority, own = private("127.0.0.1", -DAY)
    for file, content in (("ca.pem", authority.pem), ("cert", own.pem), ("key", own.secret)):
        (tmp_path / file).write_bytes(content)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert", tmp_path / "key")
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    client, _ = server.accept()
                    with client, contextlib.suppress(OSError):
                        context.wrap_socket(client, server_side=True).close()

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"https://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


#: What is asked of the doctor, and what it must say: the address, and who is trusted.
MISTRUSTED = {
    "nobody": ("secure", None, "no se confía en quien firmó su certificado"),
    "another": ("secure", "other.pem", "no se confía en quien firmó su certificado"),
    "another name": ("named", "ca.pem", "es de otro nombre"),
    "no TLS": ("plain", "ca.pem", "no habla TLS"),
    "no file": ("secure", "none.pem", "no se puede leer «storage_ca»"),
    "no certificate": ("secure", "text.pem", "no es un archivo de certificados"),
    "half a certificate": ("secure", "half.pem", "no es un archivo de certificados"),
}


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize("case", MISTRUSTED)
def test_a_server_that_nobody_vouches_for_is_refused_and_told_why(
    case: str, gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, ca, told = MISTRUSTED[case]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ca.pem").write_bytes(gateway.ca.read_bytes())
    (tmp_path / "other.pem").write_bytes(made(name("otra"), authority=True).pem)
    (tmp_path / "text.pem").write_text("hola")
    (tmp_path / "half.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    of = {
        "secure": gateway.secure,
        "named": gateway.secure.replace("127.0.0.1", "localhost"),
        "plain": gateway.url.replace("http://", "https://"),
    }
    secure(tmp_path, f"s3://pisis-x?endpoint={of[address]}", ca or "")
    if ca is None:
        (tmp_path / FILE).write_text((tmp_path / FILE).read_text("utf-8").replace('storage_ca = ""', ""), "utf-8")
    shown = CliRunner().invoke(root, ["doctor"]).output
    assert re.search(f"✗ almacén: .*{told}", shown), shown


def test_a_certificate_of_yesterday_is_told(expired: str, tmp_path: Path) -> None:
    objects = object_store.store(f"s3://pisis-x?endpoint={expired}", tmp_path / "ca.pem")
    with pytest.raises(UnavailableError, match="ya venció"):
        object_store.probe(objects)


@pytest.mark.parametrize("target", ["http://x", "s3:///x", "s3://x?endpont=http://y"])
def test_an_address_that_cannot_be_meant_is_told(target: str, tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(f'storage = "{target}"\n', "utf-8")
    with pytest.raises(SettingsError, match="cubeta"):
        wiring.storage(Settings.load(tmp_path))
