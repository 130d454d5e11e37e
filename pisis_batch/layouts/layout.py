"""The typed form of an annex: `Layout` holds `Record`s, a record holds `Field`s, in the annex's order and words.

Built from TOML by :func:`pisis_batch.layouts.parse`; nothing else in the program repeats what a layout says.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator
from pydantic import Field as Key

from pisis_batch.layouts.file_name import FileName


class LayoutError(ValueError):
    """A layout file has mistakes; `problems` lists them all, each with its path inside the file."""

    def __init__(self, source: str, problems: list[str]) -> None:
        self.source, self.problems = source, problems
        super().__init__(f"{source}: " + "; ".join(problems))


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Not(_Strict):
    """A condition clause that holds when the field has none of these values."""

    values: Annotated[tuple[str, ...], BeforeValidator(lambda v: (v,) if isinstance(v, str) else v)] = Key(alias="not")


def _clause(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Clause = Annotated[tuple[str, ...] | Not, BeforeValidator(_clause)]
Condition = dict[str, Clause]
Datum = Literal["id", "nombre", "correo", "telefono"]


class Field(_Strict):
    """One column of a record. Mandatory unless `required`, `required_if` or `only_if` says otherwise."""

    name: str = Key(pattern=r"^[a-z][a-z0-9_]*$", description="ASCII name, used in rules, conditions and JSON")
    label: str = Key(min_length=1, description="the name as the annex prints it")
    type: Literal["A", "N", "D", "F", "T"] = Key("N", description="A alphanumeric, N digits, D decimal, F date, T text")
    constant: str | None = Key(None, alias="is", description="the only value, as for the record type")
    max: int | None = Key(None, gt=0, description="maximum length in characters")
    min: int | None = Key(None, gt=0, description="minimum length in characters when not empty")
    required: bool = True
    required_if: Condition | None = Key(None, description="mandatory when it holds, optional otherwise")
    only_if: Condition | None = Key(None, description="mandatory when it holds, empty otherwise")
    values: dict[str, str] | None = Key(None, description="allowed values and their meaning")
    catalog: str | None = Key(None, description="reference table that holds the allowed codes")
    format: Literal["correo", "nombre"] | None = None
    decimals: int | None = Key(None, ge=0, description="digits after the point, for type D")
    chars: str = Key("", description="signs allowed beside letters and digits, for type A")
    leading_zeros: bool = Key(default=False, description="whether a number may begin with 0 (phones, DANE codes)")
    datum: Datum | None = Key(None, description="kind of personal datum; decides what is masked")
    note: str | None = Key(None, description="source or doubt, printed on the annex's page")

    @cached_property
    def allowed(self) -> tuple[str, ...] | None:
        """Every value the field may take, or None when the list is open or in a catalogue."""
        if self.constant is not None:
            return (self.constant,)
        return tuple(self.values) if self.values else None

    @property
    def condition(self) -> Condition | None:
        """The condition that governs whether the field is filled, if there is one."""
        return self.only_if or self.required_if


class Action(_Strict):
    """A field that says what a line does to the record of the same `unique` key that was stored earlier."""

    field: str
    insert: str | None = Key(None, description="the value that stores a new record")
    update: str | None = Key(None, description="the value that replaces an earlier record")
    annul: str | None = Key(None, description="the value that annuls an earlier record")
    none: str | None = Key(None, description="the value that leaves what is stored as it is")

    @property
    def values(self) -> dict[str, str]:
        """Value in the file -> what it does: insertar, actualizar, anular, ninguna."""
        said = {"insertar": self.insert, "actualizar": self.update, "anular": self.annul, "ninguna": self.none}
        return {value: act for act, value in said.items() if value is not None}


class Record(_Strict):
    """One kind of line: its mark (first field), how often it occurs, its fields and its unique keys."""

    name: str = ""
    label: str
    occurs: str = Key("0..", pattern=r"^(1|0\.\.|1\.\.|0\.\.1)$")
    unique: tuple[str, ...] = ()
    action: Action | None = Key(None, description="which field inserts, updates or annuls stored records")
    fields: tuple[Field, ...] = Key(min_length=1)

    @property
    def mark(self) -> str:
        """What the line begins with: the constant of the first field."""
        return self.fields[0].constant or ""

    @cached_property
    def by_name(self) -> dict[str, Field]:
        """Fields by name."""
        return {field.name: field for field in self.fields}

    def number(self, name: str) -> int:
        """The annex's number of a field: 0 is the record type."""
        return [field.name for field in self.fields].index(name)


class Sequence(_Strict):
    """A consecutive number that runs 1, 2, 3… over the named records."""

    field: str
    over: tuple[str, ...]


class Total(_Strict):
    """A control field (`control.total_registros`) that must equal the number of lines of the named records."""

    field: str = Key(pattern=r"^[a-z0-9_]+\.[a-z0-9_]+$")
    over: tuple[str, ...]


class Entity(_Strict):
    """Which control fields name the entity that reports."""

    type: str = Key(description="control field of the id type, or the type itself in capitals when it is always one")
    number: str
    name: str | None = Key(None, description="control field of its legal name, where the annex has one")

    @property
    def fixed(self) -> bool:
        """Whether every file is of one id type, so that no field says it."""
        return self.type.isupper()

    def of(self, values: Mapping[str, str]) -> tuple[str, str] | None:
        """Type and number of the entity that a control record or a file name states; None when it states none."""
        kind, number = self.type if self.fixed else values.get(self.type), values.get(self.number)
        return (kind, number) if kind and number else None


class DefaultProfile(_Strict):
    """A profile that every linked user receives without a line that asks for it."""

    application: str
    profile: str
    name: str


class Effect(_Strict):
    """What accepted records do: change users, or be stored (see `pisis data`), or nothing.

    What a stored file replaces: everything of the same entity and period, further told apart by the control fields of
    `within`; the records of the same `unique` key; or nothing. A record with an `action` always goes by its key.
    """

    kind: Literal["registros", "usuarios", "ninguno"] = "registros"
    replaces: Literal["periodo y entidad", "clave", "nada"] = "periodo y entidad"
    within: tuple[str, ...] = Key((), description="control fields that tell apart files of one period and entity")
    default_profile: DefaultProfile | None = None


class Layout(_Strict):
    """A complete annex version. Frozen once released; a change is a new file with a later `valid_from`."""

    annex: str = Key(pattern=r"^[A-Z]{3}[A-Z0-9]+$")
    version: str
    valid_from: date = Key(description="first cut date the version applies to")
    title: str
    source: str = Key("", description="norm or document the layout was taken from")
    file_name: FileName
    encoding: Literal["cp1252"] = "cp1252"
    separator: Literal["|"] = "|"
    order: tuple[str, ...] = Key(description="records in the order their groups must appear; the first is the control")
    sequence: Sequence | None = None
    total: Total | None = None
    on_error: Literal["reject file"] = "reject file"
    entity: Entity
    cut_date: str = Key(description="control field that holds the cut date")
    effect: Effect = Effect()
    rules: tuple[str, ...] = Key((), description="codes of the content rules, beyond what the fields say")
    record: dict[str, Record]

    @model_validator(mode="after")
    def _name_records(self) -> Self:
        for name, record in self.record.items():
            if record.name != name:
                self.record[name] = record.model_copy(update={"name": name})
        return self

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
