"""The typed form of an annex: `Layout` holds `Record`s, a record holds `Field`s, in the annex's order and words.

Built from TOML by :func:`pisis_batch.layouts.parse`; nothing else in the program repeats what a layout says.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from functools import cached_property
from typing import Any, Literal

from pisis_batch.layouts.condition import Condition, Texts
from pisis_batch.layouts.field import Field
from pisis_batch.layouts.file_name import FileName
from pisis_batch.layouts.relation import Check
from pisis_batch.layouts.strict import Key, Strict


class LayoutError(ValueError):
    """A layout file has mistakes; `problems` lists them all, each with its path inside the file."""

    def __init__(self, source: str, problems: list[str]) -> None:
        self.source, self.problems = source, problems
        super().__init__(f"{source}: " + "; ".join(problems))


class Action(Strict):
    """A field that says what a line does to the record of the same `unique` key that was stored earlier."""

    field: str
    insert: str | None = Key(default=None, description="the value that stores a new record")
    update: str | None = Key(default=None, description="the value that replaces an earlier record")
    annul: str | None = Key(default=None, description="the value that annuls an earlier record")
    none: str | None = Key(default=None, description="the value that leaves what is stored as it is")

    @property
    def values(self) -> dict[str, str]:
        """Value in the file -> what it does: insertar, actualizar, anular, ninguna."""
        said = {"insertar": self.insert, "actualizar": self.update, "anular": self.annul, "ninguna": self.none}
        return {value: act for act, value in said.items() if value is not None}


class Stop(Strict):
    """When a condition holds the rest of the line stays empty; the fields of `keep` may be filled or not."""

    when: Condition = Key(min_length=1)
    after: str = Key(description="the last field that is still filled")
    keep: Texts = ()


class Record(Strict):
    """One kind of line: its mark (first field), how often it occurs, its fields and its unique keys."""

    name: str = ""
    label: str
    occurs: str = Key(default="0..", pattern=r"^(1|0\.\.|1\.\.|0\.\.1)$")
    unique: tuple[str, ...] = ()
    action: Action | None = Key(default=None, description="which field inserts, updates or annuls stored records")
    stop: Stop | None = Key(default=None, description="when the rest of the line stays empty")
    note: str | None = Key(default=None, description="source or doubt, printed on the annex's page")
    fields: tuple[Field, ...] = Key(min_length=1)

    @property
    def mark(self) -> str:
        """What the line begins with: the constant of the first field."""
        return self.fields[0].constant or ""

    @cached_property
    def by_name(self) -> dict[str, Field]:
        """Fields by name."""
        return {field.name: field for field in self.fields}

    @cached_property
    def places(self) -> dict[str, int]:
        """Where a row of this record has each field, after the number of its `line`."""
        return {name: place for place, name in enumerate(("line", *(field.name for field in self.fields)))}

    def number(self, name: str) -> int:
        """The annex's number of a field: 0 is the record type. Raises KeyError for a name that is none."""
        return self.places[name] - 1


class Sequence(Strict):
    """A consecutive number that runs 1, 2, 3… over the named records, or starts again in each with `restart`."""

    field: str
    over: tuple[str, ...]
    restart: bool = Key(default=False, description="whether each record begins again at 1")


class Total(Strict):
    """A control field (`control.total_registros`) that must equal the number of lines of the named records."""

    field: str = Key(pattern=r"^[a-z0-9_]+\.[a-z0-9_]+$")
    over: tuple[str, ...]


class Entity(Strict):
    """Which control fields name the entity that reports."""

    type: str = Key(description="control field of the id type, or the type itself in capitals when it is always one")
    number: str
    name: str | None = Key(default=None, description="control field of its legal name, where the annex has one")

    @property
    def fixed(self) -> bool:
        """Whether every file is of one id type, so that no field says it."""
        return self.type.isupper()

    def of(self, values: Mapping[str, str]) -> tuple[str, str] | None:
        """Type and number of the entity that a control record or a file name states; None when it states none."""
        kind, number = self.type if self.fixed else values.get(self.type), values.get(self.number)
        return (kind, number) if kind and number else None


class DefaultProfile(Strict):
    """A profile that every linked user receives without a line that asks for it."""

    application: str
    profile: str
    name: str


class Effect(Strict):
    """What accepted records do: change users, or be stored (see `pisis data`), or nothing.

    What a stored file replaces: everything of the same entity and period, further told apart by the control fields of
    `within`; the records of the same `unique` key; or nothing. A record with an `action` always goes by its key.
    """

    kind: Literal["registros", "usuarios", "ninguno"] = "registros"
    replaces: Literal["periodo y entidad", "clave", "nada"] = "periodo y entidad"
    within: tuple[str, ...] = Key(
        default=(), description="control fields that tell apart files of one period and entity"
    )
    default_profile: DefaultProfile | None = None


class NamePart(Strict):
    """A stretch of the file name that no control field repeats."""

    label: str
    values: dict[str, str] | None = Key(default=None, description="allowed values and their meaning")
    note: str | None = None


class Layout(Strict):
    """A complete annex version. Frozen once released; a change is a new file with a later `valid_from`."""

    annex: str = Key(pattern=r"^[A-Z]{3}[A-Z0-9]+$")
    version: str
    valid_from: date = Key(description="first cut date the version applies to")
    title: str
    source: str = Key(default="", description="norm or document the layout was taken from")
    file_name: FileName
    name_parts: dict[str, NamePart] = Key(default={}, description="parts of the name that the control does not repeat")
    encoding: Literal["cp1252", "utf-8"] = "cp1252"
    separator: Literal["|", ",", ";", "\t"] = "|"
    defaults: dict[Literal["A", "N", "D", "F", "T", "H"], dict[str, Any]] = Key(
        default={}, description="keys that every field of a type takes unless it says otherwise"
    )
    lists: dict[str, dict[str, str]] = Key(default={}, description="lists of values that several fields share, by name")
    sentinels: dict[str, str] = Key(
        default={}, description="wildcards and their meaning; each field says which it allows"
    )
    order: tuple[str, ...] = Key(description="records in the order their groups must appear; the first is the control")
    grouped: bool = Key(default=True, description="whether the lines of a record stand together, in `order`")
    sequence: Sequence | None = None
    total: Total | None = None
    on_error: Literal["reject file"] = "reject file"
    entity: Entity
    cut_date: str = Key(description="control field, or part of the name, that holds the cut date")
    late_days: int | None = Key(
        default=None,
        ge=0,
        description="days after the cut date within which the annex is received when it has no calendar",
    )
    effect: Effect = Effect()
    rules: tuple[str, ...] = Key(default=(), description="codes of the content rules, beyond what the fields say")
    check: tuple[Check, ...] = Key(
        default=(), description="what must hold between fields, lines and the control record"
    )
    note: str = Key(default="", description="what the source did not give, printed on the annex's page")
    record: dict[str, Record]

    @property
    def control(self) -> Record:
        """The record that describes the file."""
        return self.record[self.order[0]]

    @property
    def records(self) -> Iterator[Record]:
        """Records in file order."""
        return (self.record[name] for name in self.order)

    @property
    def details(self) -> Iterator[Record]:
        """Records in file order, control excluded."""
        return (self.record[name] for name in self.order[1:])

    @cached_property
    def labels(self) -> dict[str, str]:
        """The official name of each field, by record and field with a point between."""
        return {f"{record.name}.{field.name}": field.label for record in self.records for field in record.fields}

    @cached_property
    def ids(self) -> frozenset[str]:
        """The fields that hold the number of a person or an entity, named in the same way."""
        return frozenset(f"{r.name}.{f.name}" for r in self.records for f in r.fields if f.datum == "id")
