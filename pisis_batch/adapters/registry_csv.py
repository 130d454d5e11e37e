"""The CSV files of `pisis registry load`: each table's columns, their checks, and every problem with its line.

UTF-8, comma, header row. Unknown columns are refused by name; a bad row is told by its line and nothing is loaded.
"""

import csv
import io
from dataclasses import dataclass
from typing import Literal

import polars as pl

Kind = Literal["text", "id", "flag", "date", "code"]


class LoadError(ValueError):
    """Rows that contradict the registry; `problems` are sentences, each with its line."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__(f"{len(problems)} problemas en el archivo")


@dataclass(frozen=True, slots=True)
class Column:
    """A column: what it may hold and whether it may be empty."""

    kind: Kind = "text"
    required: bool = False


_MUST = Column(required=True)
_CODE, _NUMBER, _FLAG = Column("code", required=True), Column("id", required=True), Column("flag", required=True)
_DAY = Column("date", required=True)
TABLES: dict[str, tuple[dict[str, Column], tuple[str, ...]]] = {
    "persons": (
        {
            "tipo_id": _CODE,
            "num_id": _NUMBER,
            "primer_nombre": _MUST,
            "segundo_nombre": Column(),
            "primer_apellido": _MUST,
            "segundo_apellido": Column(),
            "correo_personal": Column(),
        },
        ("tipo_id", "num_id"),
    ),
    "entities": (
        {
            "tipo_id": _CODE,
            "num_id": _NUMBER,
            "razon_social": _MUST,
            "tipo_entidad": _MUST,
            "municipio": Column(),
            "correo_institucional": Column(),
            "correo_confirmado": _FLAG,
            "rep_tipo_id": Column("code"),
            "rep_num_id": Column("id"),
            "contacto_tipo_id": Column("code"),
            "contacto_num_id": Column("id"),
            "activa": _FLAG,
        },
        ("tipo_id", "num_id"),
    ),
    "users": (
        {
            "entidad_tipo_id": _CODE,
            "entidad_num_id": _NUMBER,
            "tipo_id": _CODE,
            "num_id": _NUMBER,
            "telefono": Column(),
            "cargo": Column(),
            "contrato_indefinido": Column("flag"),
            "fecha_fin": Column("date"),
            "correo": Column(),
        },
        ("entidad_tipo_id", "entidad_num_id", "tipo_id", "num_id"),
    ),
    "profiles": (
        {
            "codigo": _NUMBER,
            "nombre": _MUST,
            "cod_aplicacion": _NUMBER,
            "nombre_aplicacion": Column(),
            "tipos_entidad": Column(),
            "habilitado": _FLAG,
        },
        ("codigo", "cod_aplicacion"),
    ),
    "periods": (
        {"anexo": _NUMBER, "inicio": _DAY, "corte": _DAY, "reporte_desde": _DAY, "reporte_hasta": _DAY},
        ("anexo", "inicio", "corte"),
    ),
}
#: The ministry's own export of PerfilPorAplicacion (ficha 1.7): only these of its 22 columns are used.
_EXPORT = {
    "Codigo": "codigo",
    "Nombre": "nombre",
    "Extra_I:CodAplicacion": "cod_aplicacion",
    "Extra_II:NombreAplicacion": "nombre_aplicacion",
    "Extra_III:TiposEntidad": "tipos_entidad",
    "Habilitado": "habilitado",
}
_PATTERNS: dict[Kind, tuple[str, str]] = {
    "code": ("^[A-Z]{2}$", "debe ser un código de dos letras"),
    "id": ("^[A-Za-z0-9]+$", "solo lleva letras y cifras"),
    "flag": ("^[01]$", "debe ser 1 o 0"),
    "date": ("^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "debe ser una fecha AAAA-MM-DD"),
}


def read(table: str, content: bytes) -> tuple[pl.DataFrame, list[str]]:
    """The rows (all text, with `line`, the header being 1) and every problem found. No rows when there are problems."""
    columns, keys = TABLES[table]
    try:
        header, cells, ragged = _cut(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return pl.DataFrame(), ["el archivo no está en UTF-8; guárdelo como «CSV UTF-8»"]
    except csv.Error:
        return pl.DataFrame(), ["el archivo no es un CSV: hay comillas sin cerrar o mal puestas"]
    names = list(columns)
    if table == "profiles" and set(_EXPORT) <= set(header):
        names = list(_EXPORT)
    elif problems := _header_problems(header, names):
        return pl.DataFrame(), problems
    places = [header.index(name) for name in names]
    chosen = [[line, *(row[place].strip() for place in places)] for line, row in cells]
    rows = pl.DataFrame(chosen, schema={"line": pl.UInt32, **dict.fromkeys(columns, pl.String)}, orient="row")
    if names == list(_EXPORT):
        rows = rows.with_columns(pl.col("habilitado").replace({"SI": "1", "NO": "0"}))
    told = ragged
    for name, column in columns.items():
        told += _column_problems(rows, name, column)
    told += _pair_problems(rows)
    complete = rows.filter(pl.all_horizontal(pl.col(key) != "" for key in keys))
    again = complete.filter(~pl.struct(keys).is_first_distinct())
    told += [(line, f"repite la llave ({', '.join(keys)}) de otra línea") for line in again["line"]]
    sentences = [f"línea {line}: {sentence}" for line, sentence in sorted(told)]
    return rows.clear() if sentences else rows, sentences


def _cut(text: str) -> tuple[list[str], list[tuple[int, list[str]]], list[tuple[int, str]]]:
    """Header, rows by the line they begin in, and lines with another number of cells. Blank lines are passed over."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header = [name.strip() for name in next(reader, [])]
    cells, ragged = [], []
    line = reader.line_num + 1
    for row in reader:
        if row and len(row) != len(header):
            ragged.append((line, f"tiene {len(row)} valores y el encabezado {len(header)}"))
        elif row:
            cells.append((line, row))
        line = reader.line_num + 1  # a quoted cell may take several lines
    return header, cells, ragged


def _header_problems(given: list[str], expected: list[str]) -> list[str]:
    if not given:
        return ["el archivo está vacío: falta el encabezado"]
    if len(given) == 1 and given[0].split(";") == expected:
        return ["las columnas están separadas por punto y coma; sepárelas por comas"]
    unknown = [f"columna desconocida: {name}" for name in given if name not in expected]
    missing = [f"falta la columna: {name}" for name in expected if name not in given]
    repeated = [f"columna repetida: {name}" for name in expected if given.count(name) > 1]
    return unknown + missing + repeated


def _pair_problems(rows: pl.DataFrame) -> list[tuple[int, str]]:
    """Columns that only make sense together: half an identification, a reporting window that ends before it starts."""
    found = []
    for half, other in (("rep_tipo_id", "rep_num_id"), ("contacto_tipo_id", "contacto_num_id")):
        if half in rows.columns:
            odd = rows.filter((pl.col(half) == "") != (pl.col(other) == ""))
            found += [(line, f"{half} y {other} van juntos: falta uno de los dos") for line in odd["line"]]
    for first, last in (("inicio", "corte"), ("reporte_desde", "reporte_hasta")):
        if first in rows.columns:
            odd = rows.filter((pl.col(last) != "") & (pl.col(last) < pl.col(first)))
            found += [(line, f"{last} es anterior a {first}") for line in odd["line"]]
    return found


def _column_problems(rows: pl.DataFrame, name: str, column: Column) -> list[tuple[int, str]]:
    found = []
    cell = pl.col(name)
    if column.required:
        found += [(line, f"{name} está vacío") for line in rows.filter(cell == "")["line"]]
    if column.kind in _PATTERNS:
        pattern, words = _PATTERNS[column.kind]
        right = cell.str.contains(pattern)
        if column.kind == "date":
            right &= cell.str.to_date("%Y-%m-%d", strict=False).is_not_null()
        found += [(line, f"{name} {words}") for line in rows.filter((cell != "") & ~right)["line"]]
    return found
