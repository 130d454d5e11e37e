"""The chain over the audit: whatever is changed, taken, added, moved or cut off is found, and where."""

import re
import shutil
import threading
import zlib
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from conftest import BOTH, GOOD, REGISTRY
from test_service import drop
from worlds import NAME, NOW, file_of

from pisis_batch import service, wiring
from pisis_batch.adapters import keyring, sql_chain
from pisis_batch.adapters.keyring import Keyring, KeyringError
from pisis_batch.adapters.sql_registry import SqlRegistry
from pisis_batch.adapters.sql_tables import audit, chain, schema_step
from pisis_batch.adapters.sql_trail import Trail
from pisis_batch.cli import root
from pisis_batch.ports import AuditHead, Ports
from pisis_batch.settings import Settings, SettingsError


def registry(ports: Ports) -> SqlRegistry:
    assert isinstance(ports.registry, SqlRegistry)
    return ports.registry


@pytest.fixture
def told(workspace: Path, ports: Ports) -> str:
    """A loaded file after the tables of the registry; its guid."""
    drop(workspace, file_of(GOOD))
    (outcome,) = service.once(ports)
    return outcome.received.guid


def changed(ports: Ports, statement: str, **values: object) -> list[str]:
    with registry(ports).engine.begin() as connection:
        assert connection.execute(sa.text(statement), values).rowcount
    return [f"{one.guid}: {one.what}" for one in ports.registry.audit_verify().offenders]


@BOTH
def test_what_happened_is_signed_and_whole(ports: Ports, told: str) -> None:
    found = ports.registry.audit_verify()
    assert found.offenders == ()
    assert found.before == found.thinned == 0
    assert found.links == found.head.seq == 6, "four tables, the reception, the verdict"
    assert found.entries == 4 + 1 + 7 + 1
    assert ports.registry.audit_verify(found.head).offenders == ()


FORGED = {
    "UPDATE audit SET action = 'recibido ayer' WHERE action = 'recibido'": "no es lo que se firmó",
    "UPDATE audit SET at = '2020' WHERE action = 'recibido'": "no es lo que se firmó",
    "UPDATE audit SET guid = 'otro' WHERE action = 'recibido'": "no es lo que se firmó",
    "UPDATE audit SET line = 7 WHERE line = 2": "no es lo que se firmó",
    "UPDATE audit SET line = 5 - line WHERE line IN (2, 3) AND action = 'vincular'": "no es lo que se firmó, o su orden",
    "DELETE FROM audit WHERE line = 2": "le faltan",
    "DELETE FROM audit WHERE action = 'recibido'": "se borraron las 1 entradas del eslabón 5",
    "INSERT INTO audit (id, at, guid, action) VALUES (900, 'x', 'g', 'vincular')": "no la firma ningún eslabón",
    "INSERT INTO audit (id, at, guid, action, batch) VALUES (900, 'x', 'g', 'a', 5)": "no la firma ningún eslabón",
    "UPDATE audit_chain SET at = '2020' WHERE seq = 2": "el eslabón 2 (2020) no es el que se firmó",
    "UPDATE audit_chain SET hash = 'f' WHERE seq = 2": "el eslabón 3 no continúa el anterior",
    "DELETE FROM audit_chain WHERE seq = 3": "antes del eslabón 4 falta el eslabón 3",
    "UPDATE audit SET who = 'CC10000099' WHERE action = 'recibido'": "nombra a otra persona",
}


def test_whatever_is_forged_is_found(ports: Ports, told: str) -> None:
    """Each forgery alone, taken back after it was looked for."""
    for statement, what in FORGED.items():
        with registry(ports).engine.connect() as connection, connection.begin() as transaction:
            assert connection.execute(sa.text(statement)).rowcount
            found = [
                f"{one.guid}: {one.what}" for one in sql_chain.verify(connection, registry(ports).keys, None).offenders
            ]
            transaction.rollback()
        assert any(what in one for one in found), (statement, found)


def test_the_place_of_a_forgery_is_told(ports: Ports, told: str) -> None:
    (found,) = changed(ports, "UPDATE audit SET action = 'asignar' WHERE line = 2 AND action = 'vincular'")
    assert found.startswith(f"{told}: lo que dicen las entradas 6 a 13 (eslabón 6)")


def test_links_in_another_order_are_found(ports: Ports, told: str) -> None:
    changed(ports, "UPDATE audit_chain SET seq = -2 WHERE seq = 2")
    changed(ports, "UPDATE audit_chain SET seq = 2 WHERE seq = 3")
    found = changed(ports, "UPDATE audit_chain SET seq = 3 WHERE seq = -2")
    assert any("el eslabón 2 no continúa el anterior" in one for one in found), found
    assert any("el eslabón 3 (" in one and "no es el que se firmó" in one for one in found), found


@BOTH
def test_a_tail_that_was_cut_is_found_with_a_head_kept_elsewhere(ports: Ports, told: str) -> None:
    kept = ports.registry.audit_head()
    with registry(ports).engine.begin() as connection:
        connection.execute(audit.delete().where(audit.c.guid == told, audit.c.action != "recibido"))
        connection.execute(chain.delete().where(chain.c.seq == kept.seq))
    assert ports.registry.audit_verify().offenders == (), "nobody can tell without it"
    (cut,) = ports.registry.audit_verify(kept).offenders
    assert cut.what == "faltan los eslabones 6 a 6: se cortó el final"


def test_a_chain_made_anew_with_the_key_is_found_with_a_head_kept_elsewhere(ports: Ports, told: str) -> None:
    kept = ports.registry.audit_head()
    with registry(ports).engine.begin() as connection:
        connection.execute(audit.delete())
        connection.execute(chain.delete())
        for _ in range(kept.seq):
            forged = Trail(connection, registry(ports).keys, told, "2026-07-15")
            forged.tell("recibido")
            forged.close()
    assert ports.registry.audit_verify().offenders == ()
    assert "se rehízo la cadena" in ports.registry.audit_verify(kept).offenders[0].what


def test_whoever_has_the_database_but_not_the_key_cannot_sign(workspace: Path, ports: Ports, told: str) -> None:
    with registry(ports).engine.begin() as connection:
        forged = Trail(connection, Keyring(), told, "2026-07-15")
        forged.tell("desvincular")
        forged.close()
    found = ports.registry.audit_verify()
    assert (found.offenders, found.strangers) == ((), ((Keyring().current.id, 1),))
    assert "no está en este archivo de llaves" in run(workspace, "verify", code=3)
    doctor = CliRunner().invoke(root, ["-w", str(workspace), "doctor"])
    assert (doctor.exit_code, "✗ llaves: faltan las llaves" in doctor.output) == (3, True)


@BOTH
def test_taking_a_person_away_leaves_the_chain_whole(ports: Ports, told: str) -> None:
    with registry(ports).engine.begin() as connection:
        trail = Trail(connection, registry(ports).keys, told, "2026-07-15")
        trail.tell("aprobado", "CC10000077")
        trail.close()
    assert ports.registry.audit_verify().offenders == ()
    assert changed(ports, "UPDATE audit SET who = NULL WHERE who IS NOT NULL") == []
    assert "CC10000077" not in str(list(ports.registry.audit_entries(told)))


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_many_writers_continue_one_chain(workspace: Path, ports: Ports) -> None:
    before = ports.registry.audit_head().seq

    def write(number: int) -> None:
        mine = SqlRegistry(Settings.load(workspace).database.get_secret_value(), registry(ports).keys)
        for turn in range(10):
            with mine.engine.begin() as connection:
                trail = Trail(connection, mine.keys, f"g{number}", f"{turn}")
                trail.tell("recibido")
                trail.tell_lines(pl_lines(2000), "vincular")
                trail.close()
        mine.close()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = ports.registry.audit_verify()
    assert (found.links, found.offenders) == (before + 40, ())


def pl_lines(many: int) -> pl.Series:
    return pl.int_range(many, dtype=pl.UInt32, eager=True)


def many_lines(ports: Ports, many: int = 120_000) -> None:
    with registry(ports).engine.begin() as connection:
        trail = Trail(connection, registry(ports).keys, "g", "2026-07-15")
        trail.tell("recibido")
        trail.tell_lines(pl_lines(many).shuffle(1), "vincular")
        trail.tell_lines(pl_lines(1_000), "asignar")
        trail.tell("veredicto: cargado")
        trail.close()
    found = ports.registry.audit_verify()
    assert (found.offenders, found.entries) == ((), 4 + many + 1_002)


def test_while_an_older_version_may_run_every_line_has_its_row(ports: Ports) -> None:
    with registry(ports).engine.begin() as connection:
        connection.execute(schema_step.delete().where(schema_step.c.name == "0016"))
    many_lines(ports, 51_000)
    (found,) = changed(ports, "UPDATE audit SET line = 1 WHERE line = 50777")
    assert "no es lo que se firmó" in found


PACKED = {
    "UPDATE audit SET many = many - 1 WHERE many > 2000": "le faltan 1 de 121002",
    "UPDATE audit SET many = -5 WHERE many > 2000": "le faltan",
    "UPDATE audit SET many = NULL WHERE many > 2000": "le faltan 119999 de 121002",
    "UPDATE audit SET action = 'desvincular' WHERE many > 2000": "no es lo que se firmó",
    "UPDATE audit SET line = 7 WHERE many > 2000": "no es lo que se firmó",
    "UPDATE audit SET who_key = 'x' WHERE many > 2000": "no es lo que se firmó",
    "UPDATE audit SET lines = NULL WHERE many > 2000": "no es lo que se firmó",
    "UPDATE audit SET lines = :other WHERE many > 2000": "no es lo que se firmó",
    "UPDATE audit SET lines = :broken WHERE many > 2000": "no es lo que se firmó",
    "DELETE FROM audit WHERE many > 2000": "le faltan 120000 de 121002",
    "INSERT INTO audit (id, at, guid, action, batch, many, lines)"
    " SELECT 900, at, guid, action, batch, many, lines FROM audit WHERE many = 1000": "de más",
}


@BOTH
def test_entries_packed_in_one_row_are_signed_each(ports: Ports) -> None:
    many_lines(ports)
    assert [one.action for one in ports.registry.audit_entries("g")] == ["recibido", "veredicto: cargado"]
    numbers = "\n".join(map(str, range(1, 120_001)))
    values = {"other": zlib.compress(numbers.encode() + b"\n"), "broken": b"x"}
    for statement, what in PACKED.items():
        with registry(ports).engine.connect() as connection, connection.begin() as transaction:
            assert connection.execute(
                sa.text(statement), {n: v for n, v in values.items() if f":{n}" in statement}
            ).rowcount
            found = sql_chain.verify(connection, registry(ports).keys, None).offenders
            transaction.rollback()
        assert any(what in one.what for one in found), (statement, found)


def run(workspace: Path, *said: str, code: int = 0) -> str:
    result = CliRunner().invoke(root, ["-w", str(workspace), "audit", *said], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result.output


def test_an_operator_verifies_exports_and_is_told_where(workspace: Path, ports: Ports, told: str) -> None:
    assert "6 eslabones y 13 entradas son los que se firmaron" in run(workspace, "verify")
    kept = workspace / "final.txt"
    kept.write_text(f"2026-07-15 {run(workspace, 'head')}", "utf-8")
    assert "No se comparó" not in run(workspace, "verify", "--head", str(kept))
    assert re.search(r"recibido\n.*veredicto: cargado", run(workspace, "show", told[:8]))
    changed(ports, "UPDATE audit SET action = 'x' WHERE action = 'recibido'")
    said = run(workspace, "verify", code=3)
    assert said.startswith(f"✗ {told}: lo que dicen las entradas 5 (eslabón 5) no es lo que se firmó")
    run(workspace, "verify", "--head", "nada", code=2)


def test_a_new_key_signs_and_the_old_one_still_verifies(workspace: Path, ports: Ports, told: str) -> None:
    run(workspace, "rotate")
    renewed = wiring.ports(Settings.load(workspace, now=NOW, settle_seconds=0))
    drop(workspace, file_of(GOOD))
    service.once(renewed)
    assert renewed.registry.audit_verify().offenders == ()
    with registry(renewed).engine.begin() as connection:
        assert len(set(connection.scalars(sa.select(chain.c.key)))) == 2
    registry(renewed).close()


def test_keys_that_others_can_read_or_that_vanished_are_refused(workspace: Path, ports: Ports, told: str) -> None:
    file = workspace / "var/llaves"
    assert file.stat().st_mode & 0o777 == 0o600
    settings = Settings.load(workspace)
    file.chmod(0o640)
    with pytest.raises(SettingsError, match="otros usuarios pueden leer"):
        wiring.ports(settings)
    file.rename(workspace / "apartado")
    found = wiring.ports(settings).registry.audit_verify()
    assert [many for _, many in found.strangers] == [6], "a new key was made, and what the lost one signed is told"
    file.write_text("clave123", "utf-8")
    with pytest.raises(SettingsError, match="64 dígitos") as refused:
        wiring.ports(settings)
    assert "clave123" not in str(refused.value)
    file.unlink()
    file.symlink_to(workspace / "apartado")
    with pytest.raises(SettingsError, match="no se pudo leer"):
        wiring.ports(settings)


def test_a_pseudonym_tells_nothing_without_its_key(tmp_path: Path) -> None:
    one, other = keyring.make(tmp_path / "a"), keyring.make(tmp_path / "b")
    assert one.pseudonym("CC10000001") == keyring.load(tmp_path / "a").pseudonym("CC10000001")
    assert one.pseudonym("CC10000001") != one.pseudonym("CC10000002")
    assert one.pseudonym("CC10000001") != other.pseudonym("CC10000001")
    assert other.stands_for(one.pseudonym("CC10000001"), "CC10000001") is None
    renewed = keyring.make(tmp_path / "a", one)
    assert renewed.stands_for(one.pseudonym("CC10000001"), "CC10000001") is True
    assert renewed.stands_for(one.pseudonym("CC10000001"), "CC10000002") is False
    assert "secret" not in repr(one.current)
    shutil.copy(tmp_path / "a", tmp_path / "c")
    with pytest.raises(KeyringError):
        keyring.load(tmp_path / "missing")


def test_two_first_starts_at_once_have_the_same_key(tmp_path: Path) -> None:
    made = []
    threads = [threading.Thread(target=lambda: made.append(keyring.make(tmp_path / "k").current.id)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 8
    assert len(set(made)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["k"]


def test_a_head_reads_as_it_is_written() -> None:
    assert str(AuditHead(3, "ab")) == "3:ab"


@pytest.mark.parametrize(("options", "who"), [((), "sistema:"), (("--by", "cc:10000002"), "CC10000002")])
def test_the_audit_names_who_ordered_it(
    workspace: Path, ports: Ports, told: str, options: tuple[str, ...], who: str
) -> None:
    (workspace / "personas.csv").write_text(REGISTRY["persons"], "utf-8")
    load = ("registry", "load", "persons", str(workspace / "personas.csv"))
    handed = workspace / NAME
    handed.write_bytes(file_of(GOOD))
    for order in (load, ("reprocess", told, "--apply"), ("process", str(handed), "--sender", "CC10000001")):
        said = CliRunner().invoke(root, ["-w", str(workspace), *order, *options], env={"PISIS_NOW": NOW.isoformat()})
        assert said.exit_code in {0, 1}, said.output  # today the file would be rejected
    again = [one.who for one in ports.registry.audit_entries(told) if one.action == "juzgado de nuevo"]
    loaded = [one.who for one in ports.registry.audit_entries("registro") if one.action.startswith("carga de persons")]
    (guid,) = {run["guid"] for run in ports.registry.runs(limit=None)} - {told}
    taken = [one.who for one in ports.registry.audit_entries(guid) if one.action == "recibido"]
    assert [str(one).startswith(who) for one in (again[-1], loaded[-1], taken[0])] == [True, True, True]
    assert ports.registry.audit_verify().offenders == ()
