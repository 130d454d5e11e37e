"""The CSV files of `pisis registry load`: each table's columns, their checks, and every problem with its line.

UTF-8, comma, header row. Unknown columns are refused by name; a bad row is told by its line and nothing is loaded.
"""

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
        rows = pl.read_csv(io.BytesIO(content), infer_schema=False).fill_null("")
    except pl.exceptions.PolarsError:
        return pl.DataFrame(), ["el archivo no es un CSV en UTF-8 con encabezado y comas"]
    if table == "profiles" and set(_EXPORT) <= set(rows.columns):
        rows = rows.select(_EXPORT).rename(_EXPORT)
        rows = rows.with_columns(pl.col("habilitado").replace({"SI": "1", "NO": "0"}))
    if header := _header_problems(rows.columns, list(columns)):
        return pl.DataFrame(), header
    rows = rows.select(list(columns)).with_columns(pl.all().str.strip_chars()).with_row_index("line", offset=2)
    problems: list[tuple[int, str]] = []
    for name, column in columns.items():
        problems += _column_problems(rows, name, column)
    again = rows.filter(~pl.struct(keys).is_first_distinct())
    problems += [(line, f"repite la llave ({', '.join(keys)}) de otra línea") for line in again["line"]]
    told = [f"línea {line}: {sentence}" for line, sentence in sorted(problems)]
    return rows, told


def _header_problems(given: list[str], expected: list[str]) -> list[str]:
    unknown = [f"columna desconocida: {name}" for name in given if name not in expected]
    missing = [f"falta la columna: {name}" for name in expected if name not in given]
    return unknown + missing


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
