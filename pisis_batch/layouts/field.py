"""One column of a record: what a cell may hold, and when it is filled."""

from functools import cached_property
from typing import Annotated, Literal

from pisis_batch.layouts.condition import Condition, Texts
from pisis_batch.layouts.relation import Severity
from pisis_batch.layouts.span import Span
from pisis_batch.layouts.strict import Before, Key, Strict


def _listed(value: object) -> object:
    if isinstance(value, str):
        raise ValueError(f'no existe la lista "{value}" en lists')  # noqa: TRY004 pydantic reports ValueError
    return value


_VALUES = {
    "anyOf": [{"type": "object", "additionalProperties": {"type": "string"}}, {"type": "string"}, {"type": "null"}],
    "default": None,
    "description": "allowed values and their meaning, or the name of a list of `lists`",
}
Values = Annotated[dict[str, str] | None, Before(_listed, _VALUES)]
Datum = Literal["id", "nombre", "correo", "telefono"]
#: What a source may have left out: the page says so, and the lint does not ask for it.
Unread = Literal["max", "decimals", "values", "type", "label", "required", "meaning"]


class Field(Strict):
    """One column of a record. Mandatory unless `required`, `required_if`, `only_if` or `empty_if` says otherwise."""

    name: str = Key(pattern=r"^[a-z][a-z0-9_]*$", description="ASCII name, used in rules, conditions and JSON")
    label: str = Key(min_length=1, description="the name as the annex prints it")
    type: Literal["A", "N", "D", "F", "T", "H"] = Key(
        default="N", description="A alphanumeric, N digits, D decimal, F date, T text, H time HH:MM"
    )
    constant: str | None = Key(default=None, alias="is", description="the only value, as for the record type")
    reserved: bool = Key(default=False, description="always empty")
    max: int | None = Key(default=None, gt=0, description="maximum length in characters")
    min: int | None = Key(default=None, gt=0, description="minimum length in characters when not empty")
    length_by: dict[str, dict[str, Span]] | None = Key(
        default=None, description="length by another field: { tipo_id = { CE = '3..7' } }", min_length=1, max_length=1
    )
    required: bool = True
    required_if: Condition | None = Key(default=None, description="mandatory when it holds, optional otherwise")
    only_if: Condition | None = Key(default=None, description="mandatory when it holds, empty otherwise")
    empty_if: Condition | None = Key(default=None, description="empty when it holds, whatever else is said")
    values: Values = None
    table: str | None = Key(default=None, description="official name of the table that `values` copies")
    catalog: str | None = Key(default=None, description="reference table that holds the allowed codes")
    list: str | None = Key(default=None, pattern=r"^[,;]$", description="sign that separates codes inside the field")
    exclusive: Texts = Key(default=(), description="codes that cannot be joined with others in the list")
    format: Literal["correo", "nombre"] | None = None
    pattern: str | None = Key(default=None, description="regular expression of the whole value")
    pattern_words: str | None = Key(default=None, description="what the pattern asks for, in Spanish")
    pattern_by: dict[str, dict[str, str]] | None = Key(
        default=None,
        description="pattern by another field: { tipo_id = { MU = '[0-9]{5}' } }",
        min_length=1,
        max_length=1,
    )
    range: Span | None = Key(default=None, description="limits of a number or a date, both included: 0..100")
    range_severity: Severity = "error"
    sentinels: Texts | None = Key(
        default=None, description="wildcards allowed besides real values; see `sentinels` above"
    )
    decimals: int | None = Key(default=None, ge=0, description="digits after the point, for type D")
    integers: int | None = Key(default=None, gt=0, description="digits before the point, for type D")
    digits: int | None = Key(default=None, gt=0, description="digits in all, point and sign not counted, for type D")
    negative: bool = Key(default=False, description="whether a minus sign is allowed")
    check_digit_of: str | None = Key(default=None, description="field whose NIT check digit this is")
    same_as: str | None = Key(
        default=None, description="repeats control.field, name.part or name (the whole file name)"
    )
    chars: str = Key(default="", description="signs allowed beside letters and digits, for type A")
    case: Literal["upper", "any"] = Key(default="upper", description="whether lower-case letters are refused")
    accents: bool = Key(default=False, description="whether accented letters are allowed")
    leading_zeros: bool = Key(default=False, description="whether a number may begin with 0 (phones, DANE codes)")
    alias: dict[str, str] = Key(default={}, description="official code of a finding: { EST014 = '504' }")
    unread: tuple[Unread, ...] = Key(default=(), description="what the source did not give")
    datum: Datum | None = Key(default=None, description="kind of personal datum; decides what is masked")
    note: str | None = Key(default=None, description="source or doubt, printed on the annex's page")

    @cached_property
    def allowed(self) -> tuple[str, ...] | None:
        """Every value the field may take, or None when the list is open, in a catalogue, or of codes to be joined."""
        if self.constant is not None:
            return (self.constant,)
        if self.list is not None or not self.values:
            return None
        return (*self.values, *(value for value in self.sentinels or () if value not in self.values))

    @property
    def options(self) -> tuple[str, ...]:
        """The codes of a closed list, joined with others or alone."""
        return tuple(self.values or ())

    @property
    def condition(self) -> Condition | None:
        """The condition that governs whether the field is filled, if there is one."""
        return self.only_if or self.required_if
