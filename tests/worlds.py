"""The fictitious registry that rule examples and file cases happen in: 15 July 2026, one hospital, two people."""

import tomllib
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from typing import Any

import polars as pl

from pisis_batch.model import GRANTS, LINKED, PERIODS, PERSONS, PROFILES, Facts, Id, RegisteredEntity, Sender

BOGOTA = timezone(timedelta(hours=-5))
NOW = datetime(2026, 7, 15, 21, 37, 45, tzinfo=BOGOTA)
NAME = "SEG500USIN20260715NI000900123456.TXT"
CONTROL = (
    "1|NI|900123456|2026-07-15|{total}|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000002|ANA|GOMEZ"
    "|CONTACTO@ESE.GOV.CO"
)
ENTITY: dict[str, Any] = {
    "id": Id("NI", "900123456"),
    "razon_social": "ESE HOSPITAL EJEMPLO",
    "tipo_entidad": "IPS",
    "municipio": "PASTO - NARIÑO",
    "correo_institucional": "contacto@ese.gov.co",
    "correo_confirmado": True,
    "representante": Id("CC", "10000001"),
    "contacto": Id("CC", "10000002"),
    "activa": True,
}
PROFILE_ROWS = [
    ("1274", "SI-APS FICTICIO", "186", "APLICACION 186", "IPS;EPS", True),
    ("1300", "SI-APS OTRO FICTICIO", "186", "APLICACION 186", "", True),
    ("0777", "PERFIL RETIRADO", "186", "APLICACION 186", "IPS", False),
    ("0888", "PERFIL SOLO EPS", "186", "APLICACION 186", "EPS", True),
    ("1212", "THS Consulta Mesa Ayuda y Externos", "001", "THS", "", True),
]
_PEOPLE = ["CC 10000001 LUISA PEREZ", "CC 10000002 ANA GOMEZ"]
_SENDERS = {
    "": Sender("", registered=False, entitled=False),
    "CC10000099": Sender("CC10000099", registered=False, entitled=False),
    "CC10000050": Sender("CC10000050", registered=True, entitled=False),
}
REGISTERED = Sender("CC10000001", registered=True, entitled=True, email="luisa.perez@ese.gov.co")


def _linked(text: str) -> dict[str, str]:
    kind, number, first, last = text.split()[:4] if len(text.split()) > 3 else (*text.split(), "", "")
    user = {"tipo_id": kind, "num_id": number, "primer_nombre": first, "primer_apellido": last}
    rest = {
        "telefono": "3000000000",
        "cargo": "AUXILIAR",
        "contrato_indefinido": "1",
        "fecha_fin": "",
        "correo": "x@ese.gov.co",
    }
    return user | rest


def facts(given: str = "") -> Facts:
    """Facts from the TOML of a `Given:` section; what it does not say is as in this module."""
    said = tomllib.loads(given)
    entity = RegisteredEntity(**(ENTITY | said.get("entity", {})))
    persons = [dict(zip(PERSONS, p.split(), strict=True)) for p in [*said.get("persons", []), *_PEOPLE]]
    sender = _SENDERS.get(said.get("sender", "-"), REGISTERED)
    return Facts(
        today=NOW.date(),
        entity=entity,
        sender=sender,
        persons=pl.DataFrame(persons, schema=PERSONS).unique(["tipo_id", "num_id"], keep="first", maintain_order=True),
        linked=pl.DataFrame([_linked(p) for p in said.get("linked", [])], schema=LINKED),
        grants=pl.DataFrame([dict(zip(GRANTS, g.split(), strict=True)) for g in said.get("grants", [])], schema=GRANTS),
        profiles=pl.DataFrame(PROFILE_ROWS, schema=PROFILES, orient="row"),
        periods=pl.DataFrame(
            [[date.fromisoformat(day) for day in p.split()] for p in said.get("periods", [])],
            schema=PERIODS,
            orient="row",
        ),
    )


def file_of(lines: str, *, control: bool = True) -> bytes:
    """Example lines as a file, with a control record in front when they have none.

    A line with a backslash is written in Python's escapes, one byte each; `\\n` alone is a blank line.
    """
    whole = [_line(line) for line in lines.split("\n")]
    if control and any(whole) and not any(line.startswith((b"1|", b"\xef\xbb\xbf1|", b"PK")) for line in whole):
        details = sum(1 for line in whole if line)
        whole.insert(0, CONTROL.format(total=details).encode("cp1252"))
    return b"\r\n".join(whole)


def _line(text: str) -> bytes:
    if "\\" not in text:
        return text.encode("cp1252")
    return text.encode("latin-1").decode("unicode_escape").encode("latin-1").strip(b"\n")


def without_faulty(lines: str, told: Callable[[str], pl.DataFrame]) -> str:
    """What is left of a file without the lines that have a finding, as often as that makes others wrong."""
    while lines:
        wrong = {line - 2 for line in told(lines)["line"] if line is not None}
        left = [line.split("|", 2) for place, line in enumerate(lines.split("\n")) if place not in wrong]
        lines = "\n".join(f"{mark}|{place}|{rest}" for place, (mark, _, rest) in enumerate(left, 1))
        if not wrong:
            break
    return lines or "2|1|CC|10000001|LUISA|PEREZ|V|3150000000|MEDICO|1||L@ESE.GOV.CO"
