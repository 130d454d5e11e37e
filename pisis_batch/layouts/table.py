"""The table of an annex, as somebody copied it into a CSV: headings read forgivingly, one row a field."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

#: What a heading may be called, folded: without accents, capitals, signs or little words.
_HEADINGS = {
    "record": ("registro", "tipo registro", "record", "hoja", "seccion"),
    "number": ("n", "no", "num", "numero", "numero campo", "campo n", "id", "posicion", "orden"),
    "label": ("nombre", "nombre campo", "campo", "label", "variable", "nombre variable", "dato"),
    "type": ("tipo", "tipo dato", "type", "formato"),
    "length": (
        "longitud",
        "longitud maxima",
        "longitud maxima campo",
        "max",
        "largo",
        "tamano",
        "length",
        "lon",
        "long",
    ),
    "required": ("requerido", "obligatorio", "required", "obligatoriedad", "oblig", "req"),
    "values": ("valores", "valores permitidos", "valor permitido", "codigos", "dominio", "values", "opciones"),
    "note": ("nota", "notas", "observaciones", "observacion", "descripcion", "regla", "reglas", "validacion", "note"),
}
_LITTLE = {"de", "del", "la", "el", "los", "las", "en", "y", "o", "que", "a", "al", "por", "para"}
_TYPES = {"alfanumerico": "A", "numerico": "N", "entero": "N", "decimal": "D", "fecha": "F", "texto": "T", "hora": "H"}
_PAIR = re.compile(r"^\s*([A-Za-z0-9.+-]{1,12})\s*[:=.)–-]+\s*(.*\S)\s*$")
_CODE = re.compile(r"^[A-Z0-9]{1,4}$")
_MOST_SEPARATE = 12


class TableError(ValueError):
    """The table cannot be read; the message is a plain Spanish sentence."""


@dataclass(frozen=True, slots=True)
class Row:
    """A field as the table gives it; None is what the table did not say."""

    record: str
    number: int | None
    label: str
    type: str | None
    length: int | None
    decimals: int | None
    required: bool | None
    when: tuple[int, tuple[str, ...]] | None
    values: dict[str, str]
    note: str


def folded(text: str) -> str:
    """Lower case, no accents, only letters and digits, little words dropped."""
    plain = unicodedata.normalize("NFD", text.lower()).encode("ascii", "ignore").decode()
    return " ".join(word for word in re.split(r"[^a-z0-9]+", plain) if word and word not in _LITTLE)


def read(content: bytes) -> list[Row]:
    """The rows of the table, in order. Raises TableError when there is no column for the fields' names."""
    text = _decoded(content)
    head = text.split("\n", 1)[0]
    separator = max(";,\t|", key=head.count)
    lines = [line for line in csv.reader(io.StringIO(text), delimiter=separator) if any(cell.strip() for cell in line)]
    if not lines:
        raise TableError("la tabla está vacía")
    place = _columns(lines[0])
    if "label" not in place:
        raise TableError(f"ningún encabezado es el nombre del campo; hay: {', '.join(lines[0])}")
    return list(_rows(lines[1:], place))


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _columns(heads: list[str]) -> dict[str, int]:
    place: dict[str, int] = {}
    names = [folded(head) for head in heads]
    for exact in (True, False):
        for key, words in _HEADINGS.items():
            for at, name in enumerate(names):
                if key not in place and at not in place.values() and _is(name, words, exact=exact):
                    place[key] = at
    return place


def _is(name: str, words: tuple[str, ...], *, exact: bool) -> bool:
    if exact:
        return name in words
    return any(len(word) > 4 and name.startswith(word) for word in words)  # noqa: PLR2004 short words fit anything


def _rows(lines: list[list[str]], place: dict[str, int]) -> Iterator[Row]:
    record, group = "", 0
    for line in lines:
        said = {key: line[at].strip() if at < len(line) else "" for key, at in place.items()}
        if not said["label"]:
            continue
        number = _figure(said.get("number", ""))
        if "record" in place:
            record = said["record"] or record
        elif number == 0 or group == 0:
            group += 1
            record = str(group)
        length, decimals = _length(said.get("length", ""))
        yield Row(
            record,
            number,
            said["label"],
            _type(said.get("type", "")),
            length,
            decimals,
            _required(said.get("required", "")),
            _when(said.get("required", "")),
            _values(said.get("values", "")),
            said.get("note", ""),
        )


def _figure(text: str) -> int | None:
    found = re.search(r"\d+", text)
    return int(found[0]) if found else None


def _type(text: str) -> str | None:
    if text.upper() in {"A", "N", "D", "F", "T", "H"}:
        return text.upper()
    word = folded(text)
    return next((letter for name, letter in _TYPES.items() if word.startswith(name[:5])), None)


def _length(text: str) -> tuple[int | None, int | None]:
    found = re.findall(r"\d+", text)
    if not found:
        return None, None
    decimals = int(found[1]) if len(found) > 1 and re.search(r"\d\s*[.,;]\s*\d", text) else None
    return int(found[0]), decimals


def _required(text: str) -> bool | None:
    word = folded(text)
    if word in {"si", "s", "x", "obligatorio", "yes", "true", "1"}:
        return True
    return False if word in {"no", "n", "opcional", "false", "0"} else None


_WHEN = re.compile(
    r"(?i)(?:campo|field|variable)\s*(\d+)\s*(?:=|es|sea|is)\s*([A-Z0-9]+(?:\s*(?:,|o|u|or)\s*[A-Z0-9]+)*)"
)


def _when(text: str) -> tuple[int, tuple[str, ...]] | None:
    """The field and values of `campo 11 = 1`, `cuando el campo 7 es 1 o 2`."""
    found = _WHEN.search(text)
    return (int(found[1]), tuple(re.split(r"\s*(?:,|\bo\b|\bu\b|\bor\b)\s*", found[2]))) if found else None


def _values(text: str) -> dict[str, str]:
    """Codes and meanings of `1: Sí; 2: No`, a line each, or of `CC, CE`; nothing when it is prose."""
    parts = [part for part in re.split(r"[;\n]", text) if part.strip()]
    if len(parts) == 1 and len(re.findall(r"[A-Za-z0-9]\s*[:=]", text)) > 1:
        parts = text.split(",")
    pairs = [_PAIR.match(part) for part in parts]
    if parts and all(pairs):
        return {pair[1]: pair[2] for pair in pairs if pair}
    codes = [part.strip() for part in re.split(r"[,;/\n]", text) if part.strip()]
    short = 1 <= len(codes) <= _MOST_SEPARATE and all(_CODE.match(code) for code in codes)
    return dict.fromkeys(codes, "") if short else {}
