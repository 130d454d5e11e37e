"""The annex that a rule's docstring shows, made whole: a control record, one detail record `dato`, and what the piece says."""

import tomllib
from functools import cache
from typing import Any

from pisis_batch.layouts import Layout, LayoutError, parse_content

NAME = "ANX100EJEM20260715NI000900123456.TXT"
_CONTROL = [
    {"name": "tipo_registro", "label": "Tipo de registro", "is": "1"},
    {"name": "tipo_id_entidad", "label": "Tipo de entidad", "type": "A", "max": 2},
    {"name": "num_id_entidad", "label": "Número de la entidad", "max": 12},
    {"name": "fecha_corte", "label": "Fecha de corte", "type": "F"},
    {"name": "total", "label": "Total", "max": 10},
]
_MARK = {"name": "tipo_registro", "label": "Tipo de registro", "is": "2"}


@cache
def layout_of(piece: str) -> Layout:
    """The whole layout around a piece of TOML."""
    return parse_content(content_of(piece), "ejemplo")


def content_of(piece: str) -> dict[str, Any]:
    said = tomllib.loads(piece)
    fields = [_MARK, *said.pop("fields", [])]
    detail = {
        "label": "Datos",
        "fields": fields,
        **{key: said.pop(key) for key in ("unique", "occurs", "stop") if key in said},
    }
    records = {
        "control": {"label": "Control", "occurs": "1", "fields": [*_CONTROL, *said.pop("control", [])]},
        "dato": detail,
        **said.pop("record", {}),
    }
    return {
        "annex": "ANX100EJEM",
        "version": "1",
        "valid_from": "2020-01-01",
        "title": "Ejemplo",
        "file_name": "ANX100EJEM{fecha_corte:AAAAMMDD}{tipo_id_entidad:2}{num_id_entidad:012}.TXT",
        "order": list(records),
        "entity": {"type": "tipo_id_entidad", "number": "num_id_entidad"},
        "cut_date": "fecha_corte",
        "record": records,
        **said,
    }


def file_of(lines: str) -> bytes:
    """Example lines with a control record in front when they have none."""
    whole = lines.split("\n")
    if not whole[0].startswith("1|"):
        whole.insert(0, f"1|NI|900123456|2026-07-15|{len(whole)}")
    return "\r\n".join(whole).encode("cp1252")


__all__ = ["NAME", "LayoutError", "content_of", "file_of", "layout_of"]
