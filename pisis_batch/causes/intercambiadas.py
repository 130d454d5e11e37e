"""Two columns in each other's place, told by what their values look like."""

from collections.abc import Iterator, Mapping

import polars as pl

from pisis_batch.causes.case import Case, Claim, about, many, repeated
from pisis_batch.layouts import CATALOGS, Field, Record

#: Kinds of values that can be told apart at a glance; a field of another kind takes no part.
_SHAPES: Mapping[str, str] = {
    "fecha": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
    "correo": r"^[^@\s]+@[^@\s]+\.[^@\s]+$",
    "cifras": r"^[0-9]{3,}$",
    "palabras": r"^[A-ZÑ][A-ZÑ .'-]{2,}$",
}


def _kind(field: Field) -> str | None:
    """The kind of values a field takes."""
    if field.type == "F":
        return "fecha"
    if field.format == "correo":
        return "correo"
    if field.datum == "id" or (field.type == "N" and field.allowed is None):
        return "cifras"
    if field.allowed is None and field.catalog is None and field.type == "T":
        return "palabras"
    return None


def _looks(field: Field) -> tuple[str, ...] | str:
    """What a value of the field looks like: one of some texts, or one that has a form."""
    catalog = CATALOGS.get(field.catalog or "")
    closed = field.allowed or (None if catalog is None or catalog.registry else tuple(catalog.codes))
    return _SHAPES[_kind(field) or "palabras"] if closed is None else tuple(closed)


@about(sign=repeated("record", "field"))
def swapped(case: Case) -> Iterator[Claim]:
    """Two columns in each other's place, told by what their values look like."""
    for record in case.at_fault():
        told = case.findings.select("n", "line", "record", "field")
        cells = told.filter((pl.col("record") == record.name) & pl.col("field").is_not_null())
        habit = case.habitual_by(cells, "field", record.name)
        faulty = [str(name) for name in cells["field"].unique(maintain_order=True) if name in habit]
        looks = _Looks(case.batch[record.name])
        fields = {f.name: f for f in record.fields[1:] if f.allowed or f.catalog or _kind(f)}
        done: set[str] = set()
        for name in (name for name in faulty if name in fields):
            for other in fields.values():
                if not {name, other.name} & done and name != other.name:
                    lines = _exchanged(looks, fields[name], other)
                    if lines:
                        done |= {name, other.name}
                        yield _swap(case, record, cells, (name, other.name), lines)


class _Looks:
    """Whether the values of columns could be those of fields, each looked at once for all fields that look alike."""

    def __init__(self, rows: pl.DataFrame) -> None:
        self.rows = rows
        self._filled: dict[str, pl.Series] = {}
        self._known: dict[tuple[tuple[str, ...] | str, str], pl.Series] = {}

    def __call__(self, field: Field, column: str) -> pl.Series:
        like = _looks(field)
        if (like, column) not in self._known:
            cells = self.rows[column]
            told = cells.str.contains(like) if isinstance(like, str) else cells.is_in(like)
            self._known[like, column] = told
        return self._known[like, column]

    def filled(self, column: str) -> pl.Series:
        """Whether there is any value."""
        if column not in self._filled:
            self._filled[column] = self.rows[column] != ""
        return self._filled[column]


def _exchanged(looks: _Looks, one: Field, other: Field) -> list[int]:
    """The lines in which two values look like each other's, if most lines that fill both are such."""
    mine, yours = looks.filled(one.name), looks.filled(other.name)
    filled = crossed = mine & yours
    most = max(2, int(filled.sum()) // 2 + 1)  # one line is no habit
    # one look more each time, and none is taken of what the looks before have settled
    for field, column in ((other, one.name), (one, other.name)):
        crossed = crossed & looks(field, column)
        if int(crossed.sum()) < most:
            return []
    crossed = crossed & ~(looks(one, one.name) & looks(other, other.name))
    if int(crossed.sum()) < most:
        return []
    # where one of the two is empty, the other's place tells
    half = (~mine & looks(one, other.name)) | (~yours & looks(other, one.name))
    return looks.rows.filter(crossed | (~filled & half))["line"].to_list()


def _swap(case: Case, record: Record, cells: pl.DataFrame, pair: tuple[str, str], lines: list[int]) -> Claim:
    one, two = sorted(pair, key=record.number)
    first, second = case.label(record.name, one), case.label(record.name, two)
    # what depends on either of the two is at fault because of them
    governed = [f.name for f in record.fields if f.condition and {one, two} & set(f.condition)]
    found = cells.filter(pl.col("field").is_in([one, two, *governed]) & pl.col("line").is_in(lines))
    return Claim(
        "columnas-intercambiadas",
        f"Las columnas {first} y {second} están intercambiadas",
        f"{first} trae los datos de {second}, y al contrario, en {many(len(lines), 'línea', 'líneas')}",
        f"Columns {record.by_name[one].label} and {record.by_name[two].label} are in each other's place",
        "Ponga las columnas en el orden del anexo y genere el archivo de nuevo.",
        found["n"],
    )
