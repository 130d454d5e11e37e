"""`pisis registry why`: the file, line, day and rules behind each link and profile of a person, present and past."""

import sys
from pathlib import Path
from typing import Any

import click

from pisis_batch import wiring
from pisis_batch.cli import REJECTED
from pisis_batch.cli.output import as_json
from pisis_batch.model import Id
from pisis_batch.ports import Origin
from pisis_batch.settings import Settings

#: Causes that are no received file.
_OTHERS = {"registro": "la carga del registro", "vencimiento": "el vencimiento de su contrato"}
_WORDS = {"link": ("vinculado", "actualizado", "desvinculado"), "grant": ("asignado", "cambiado", "retirado")}


@click.command("why")
@click.argument("number")
@click.option("--entity", help="Solo lo de una entidad (NI:900123456).")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Forma del resultado.")
@click.pass_obj
def registry_why(workspace: Path | None, number: str, entity: str | None, form: str) -> None:
    """Por qué una persona (CC:10000001) tiene o tuvo cada vínculo y perfil: archivo, línea, fecha y reglas."""
    who, owner = _id(number, "NUMBER"), _id(entity, "--entity") if entity else None
    ports = wiring.ports(Settings.load(workspace))
    found = ports.registry.user(who)
    rows = _rows(found, owner) if found else []
    if not rows:
        click.echo("El registro no tiene vínculos ni perfiles de esa persona.", err=True)
        sys.exit(REJECTED)
    causes = {row[name] for row in rows for name in ("from_guid", "to_guid") if row[name]}
    origins = ports.registry.origins(causes)
    told = [_told(row, rows, origins) for row in rows]
    if form == "json":
        as_json({"id": str(who), "facts": told})
        return
    click.echo(f"{who}  {found['nombre'] if found else ''}")
    place = ""
    for fact in told:
        if fact["entity"] != place:
            place = fact["entity"]
            click.echo(f"{place}  {fact['razon_social']}")
        click.echo(f"  {'Vínculo' if fact['kind'] == 'link' else 'Perfil'}: {fact['what']}")
        click.echo(f"    {_sentence(fact['began'])}")
        click.echo(f"    {_sentence(fact['ended']) if fact['ended'] else 'vigente'}")


def _id(text: str, hint: str) -> Id:
    try:
        return Id.parse(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=hint) from None


def _rows(found: dict[str, Any], owner: Id | None) -> list[dict[str, Any]]:
    """Links, then profiles, by entity and time."""
    links = [{**row, "kind": "link", "what": row["cargo"] or "sin cargo"} for row in found["links"]]
    grants = [
        {**row, "kind": "grant", "what": f"{row['aplicacion']}/{row['perfil']} {row['nombre']}".strip()}
        for row in found["grants"]
    ]
    rows = [row for row in (*links, *grants) if owner is None or row["entity"] == str(owner)]
    return sorted(rows, key=lambda row: (row["entity"], row["kind"] != "link", row["valid_from"]))


def _told(row: dict[str, Any], rows: list[dict[str, Any]], origins: dict[str, Origin]) -> dict[str, Any]:
    """A row with what began and what ended it; a row that follows or precedes another one is a change of it."""
    began, changed, ended = _WORDS[row["kind"]]
    same = [other for other in rows if other is not row and _same(row, other)]
    follows = any(other["valid_to"] == row["valid_from"] for other in same)
    precedes = any(other["valid_from"] == row["valid_to"] for other in same)
    return {
        "entity": row["entity"],
        "razon_social": row["razon_social"],
        "kind": row["kind"],
        "what": row["what"],
        "began": _cause(row, "from", changed if follows else began, origins),
        "ended": _cause(row, "to", changed if precedes else ended, origins) if row["valid_to"] else None,
    }


def _same(row: dict[str, Any], other: dict[str, Any]) -> bool:
    return all(row.get(name) == other.get(name) for name in ("entity", "kind", "aplicacion"))


def _cause(row: dict[str, Any], side: str, action: str, origins: dict[str, Origin]) -> dict[str, Any]:
    guid = row[f"{side}_guid"]
    origin = origins.get(guid)
    return {
        "action": action,
        "at": row[f"valid_{side}"],
        "guid": guid,
        "line": row[f"{side}_line"],
        "file_name": origin.file_name if origin else None,
        "sender": origin.sender if origin else None,
        "ruleset": origin.ruleset if origin else None,
        "approved_by": list(origin.approved_by) if origin else [],
    }


def _sentence(cause: dict[str, Any]) -> str:
    said = f"{cause['action']} el {cause['at'][:19].replace('T', ' ')} por "
    if cause["file_name"] is None:
        return said + _OTHERS.get(cause["guid"], str(cause["guid"]))
    said += cause["file_name"] + (f", línea {cause['line']}" if cause["line"] else "")
    details = [f"GUID {cause['guid'][:8]}", f"reglas {cause['ruleset']}"]
    if cause["sender"]:
        details.insert(1, f"enviado por {cause['sender']}")
    if cause["approved_by"]:
        details.append(f"aprobado por {' y '.join(cause['approved_by'])}")
    return f"{said} ({', '.join(details)})"
