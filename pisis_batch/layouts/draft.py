"""From the table of an annex to the first text of its layout. What the table did not say is marked `# FALTA: …`."""

import json
import re
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import groupby

from pisis_batch.layouts.table import Row, folded

_LONGEST_NAME = 40


def draft(code: str, rows: Sequence[Row], *, valid_from: date) -> str:
    """A layout's TOML text that can be read; `pisis layouts lint` names every mark left in it."""
    records = [_Record(place, list(group)) for place, (_, group) in enumerate(groupby(rows, lambda row: row.record))]
    return "\n".join(_lines(code.upper(), records, valid_from)) + "\n"


class _Record:
    """A record with names for its fields."""

    def __init__(self, place: int, rows: list[Row]) -> None:
        self.rows = rows
        self.mark = next(iter(rows[0].values), "") or str(place + 1)
        title = rows[0].record
        short = re.sub(r"(?i)^registro\s+(de\s+)?(tipo\s+)?\d*\s*[:.-]?\s*", "", title)
        self.name = "control" if place == 0 else _slug(short, f"registro{place + 1}")
        self.label = title if not title.isdigit() else f"Registro tipo {title}"
        self.names: list[str] = []
        for row in rows:
            name = _slug(row.label, "campo")
            while name in self.names or name == "line":
                name = f"{name}_{len(self.names)}"
            self.names.append(name)

    def numbered(self, number: int) -> str | None:
        """The field with a number of the annex."""
        return next((name for name, row in zip(self.names, self.rows, strict=True) if row.number == number), None)

    def find(self, *patterns: str) -> str | None:
        """The first field whose label is like one of these, in their order of preference."""
        for pattern in patterns:
            for name, row in zip(self.names[1:], self.rows[1:], strict=True):
                if re.search(pattern, folded(row.label)):
                    return name
        return None


def _slug(text: str, otherwise: str) -> str:
    name = folded(text).replace(" ", "_")[:_LONGEST_NAME].strip("_")
    return name if re.match(r"[a-z]", name) else otherwise


def _quoted(text: str) -> str:
    return json.dumps(" ".join(text.split()), ensure_ascii=False)


def _lines(code: str, records: list[_Record], valid_from: date) -> Iterator[str]:
    control, details = records[0], records[1:]
    kind = control.find(r"^tipo (identificacion|id|documento)")
    number = control.find(r"^(numero|num|n) (identificacion|id)", r"\bnit\b", r"identificacion|codigo")
    cut = control.find(r"^fecha (corte|final)", r"^fecha (fin|hasta)", r"^fecha(?! inicial)", r"^fecha")
    total = control.find(r"(total|numero|cantidad).* registros", r"^total")
    yield "#:schema ./layout.schema.json"
    yield f"# {code}: borrador hecho de la tabla del anexo. Complete cada FALTA y revise con «pisis layouts lint»."
    yield ""
    yield f"annex      = {_quoted(code)}"
    yield 'version    = "1"  # FALTA: la versión o la fecha del anexo'
    yield f"valid_from = {valid_from.isoformat()}  # FALTA: desde qué fecha de corte rige"
    yield 'title      = "Sin título"  # FALTA: el título del anexo'
    yield 'source     = ""  # FALTA: la norma o el documento'
    pieces = "".join(
        [
            f"{{{cut}:AAAAMMDD}}" if cut else "",
            f"{{{kind}:2}}" if kind else "NI",
            f"{{{number}:012}}" if number else "",
        ]
    )
    yield f"file_name  = {_quoted(code + pieces + '.TXT')}  # FALTA: confirme el nombre con el anexo"
    yield f"order      = [{', '.join(_quoted(record.name) for record in records)}]"
    over = [record.name for record in details]
    numbered = [record.name for record in details if record.find(r"^consecutivo")]
    names = {record.find(r"^consecutivo") for record in details if record.name in numbered}
    if numbered and len(names) == 1:
        yield f"sequence   = {{ field = {_quoted(names.pop() or '')}, over = {json.dumps(numbered)} }}"
    if total:
        yield f"total      = {{ field = {_quoted(f'control.{total}')}, over = {json.dumps(over)} }}"
    else:
        yield "# FALTA: el campo del control que cuenta los registros (total = …), si lo hay"
    entity = f"{{ type = {_quoted(kind or 'NI')}, number = {_quoted(number or 'numero')} }}"
    yield f"entity     = {entity}" + ("" if number else "  # FALTA: qué campos dicen la entidad")
    yield f"cut_date   = {_quoted(cut or 'fecha')}" + ("" if cut else "  # FALTA: el campo de la fecha de corte")
    yield 'effect     = { kind = "registros", replaces = "periodo y entidad" }  # FALTA: confirme qué reemplaza'
    for place, record in enumerate(records):
        yield ""
        yield from _record(record, place)


def _record(record: _Record, place: int) -> Iterator[str]:
    yield f"[record.{record.name}]"
    yield f"label  = {_quoted(record.label)}"
    yield 'occurs = "1"' if place == 0 else 'occurs = "0.."  # FALTA: cuántas veces ocurre, y la clave (unique)'
    yield "fields = ["
    for at, (name, row) in enumerate(zip(record.names, record.rows, strict=True)):
        said, gaps = _mark(row, record.mark) if at == 0 else _field(row, record)
        told = f"  {{ name = {_quoted(name)}, label = {_quoted(row.label)}, {', '.join(said)} }},"
        yield told + (f"  # FALTA: {'; '.join(gaps)}" if gaps else "")
    yield "]"


def _mark(row: Row, mark: str) -> tuple[list[str], list[str]]:
    given = bool(row.values)
    return [f"is = {_quoted(mark)}"], [] if given else ["confirme con qué comienza el registro"]


class _Said:
    """The keys of a field as they are gathered, and what the table did not say of it."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.gaps: list[str] = []
        self.unread: list[str] = []

    def miss(self, gap: str, unread: str | None = None) -> None:
        self.gaps.append(gap)
        self.unread += [unread] if unread else []


def _field(row: Row, record: _Record) -> tuple[list[str], list[str]]:
    """Keys of a field, and what the table did not say of it."""
    said = _Said()
    _form(row, said)
    _obligation(row, record, said)
    if row.values:
        pairs = ", ".join(f"{_quoted(code)} = {_quoted(meaning)}" for code, meaning in row.values.items())
        said.keys.append(f"values = {{ {pairs} }}")
        if not all(row.values.values()):
            said.miss("el significado de los códigos", "meaning")
    if row.note:
        said.keys.append(f"note = {_quoted(row.note)}")
    if said.unread:
        said.keys.append(f"unread = {json.dumps(said.unread)}")
    return said.keys, said.gaps


def _form(row: Row, said: _Said) -> None:
    """Type, length and decimals."""
    kind = row.type or ("D" if row.decimals else "A")
    said.keys.append(f"type = {_quoted(kind)}")
    if row.type is None:
        said.miss("el tipo", "type")
    if kind in "ANTD" and row.length is None and not row.values:
        said.miss("la longitud", "max")
    elif kind in "ANTD" and row.length is not None:
        longest = max((row.length, *map(len, row.values)))
        said.keys.append(f"digits = {row.length}" if row.decimals is not None else f"max = {longest}")
    if kind == "D" and row.decimals is None:
        said.miss("los decimales", "decimals")
    elif kind == "D":
        said.keys.append(f"decimals = {row.decimals}")


def _obligation(row: Row, record: _Record, said: _Said) -> None:
    """Whether the field is mandatory, or when."""
    governing = record.numbered(row.when[0]) if row.when else None
    if row.required is None and row.when and governing:
        said.keys.append(f"required_if = {{ {governing} = {json.dumps(row.when[1])} }}")
        said.miss("confirme la condición (required_if, o only_if si en otro caso va vacío)")
    elif row.required is not True:
        said.keys.append("required = false")
        if row.required is None:
            said.miss("si es obligatorio, o cuándo (required_if, only_if)")
