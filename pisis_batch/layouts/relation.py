"""`[[check]]` tables: what must hold between fields, between lines and with the control record, one kind each.

Every kind takes `alias` (the official code of the rule), `severity`, `note`, and `off`: a reason that switches it off.
A reference is a field of the same record, `control.field` or `name.part`; `:mes`, `:año`, `:día` take part of a date.
"""

from typing import Annotated, Literal, get_args

from pisis_batch.layouts.condition import Condition, Texts
from pisis_batch.layouts.span import Span
from pisis_batch.layouts.strict import Before, Key, Strict, Written
from pisis_batch.layouts.strict import OneOf as ByKind

Severity = Literal["error", "advertencia", "informativo"]
Owned = Annotated[str, Written(r"^[a-z0-9_]+\.[a-z0-9_]+$")]
Owneds = Annotated[tuple[Owned, ...], Before(lambda v: (v,) if isinstance(v, str) else v)]


class Checked(Strict):
    """What every kind has."""

    alias: str | dict[str, str] = Key(default="", description="official code of the rule; or one for each field")
    severity: Severity = "error"
    note: str = Key(default="", description="source, doubt or contradiction, printed on the annex's page")
    off: str = Key(default="", description="why the rule is switched off; empty when it is on")

    def official(self, field: str) -> str:
        """The official code that applies to a field, or nothing."""
        return self.alias if isinstance(self.alias, str) else self.alias.get(field, "")


class RowChecked(Checked):
    """A kind that looks at one line at a time."""

    on: str = Key(description="the record it looks at")
    when: Condition | None = Key(default=None, description="only where this holds")


class Value(RowChecked):
    """When a condition holds, other fields hold what `then` says."""

    kind: Literal["value"]
    then: Condition = Key(min_length=1)


class Order(RowChecked):
    """`low` is not after `high` (dates) or not above it (numbers); every pair is compared, wildcards are left out."""

    kind: Literal["order"]
    low: Texts
    high: Texts
    strict: bool = Key(default=False, description="equal is wrong too")
    days: int = Key(default=0, ge=0, description="days that `low` may be after `high`")


class Computed(RowChecked):
    """A field is the sum of `plus` less the sum of `minus`, or the product of `times`."""

    kind: Literal["computed"]
    field: str
    plus: Texts = ()
    minus: Texts = ()
    times: Texts = ()


class EqualSums(RowChecked):
    """Two groups of fields add up to the same."""

    kind: Literal["equal_sums"]
    left: Texts
    right: Texts


class OneOf(RowChecked):
    """At least one of the fields holds a real value; `absent` lists values that stand for nothing."""

    kind: Literal["one_of"]
    fields: Texts = Key(min_length=2)
    absent: Texts = ()


class Together(RowChecked):
    """The fields hold real values all or none; `absent` lists values that stand for nothing."""

    kind: Literal["together"]
    fields: Texts = Key(min_length=2)
    absent: Texts = ()


class Bands(RowChecked):
    """A class that follows measures: the first class, from the top, in whose band any measure lies."""

    kind: Literal["bands"]
    field: str
    bands: dict[str, dict[str, Span]] = Key(min_length=2, description="class -> measure -> limits, worst class first")


class Parts(RowChecked):
    """A value of equal parts of `width` digits: each within `each`, the last the sum of the others, within `total`."""

    kind: Literal["parts"]
    field: str
    width: int = Key(gt=0)
    many: int = Key(gt=1)
    each: Span | None = None
    total: Span | None = None


class Parent(RowChecked):
    """A line names a line of another record by the same values (a foreign key)."""

    kind: Literal["parent"]
    fields: Texts = Key(min_length=1)
    of: str = Key(description="the parent record")
    key: Texts = Key(default=(), description="its fields, where they have other names")

    @property
    def pairs(self) -> dict[str, str]:
        """Field here -> field of the parent."""
        return dict(zip(self.fields, self.key or self.fields, strict=True))


class Children(RowChecked):
    """A field counts the lines of another record that name this line."""

    kind: Literal["children"]
    field: str
    fields: Texts = Key(min_length=1, description="the key of this line")
    of: str = Key(description="the record that is counted")
    key: Texts = Key(default=(), description="its fields, where they have other names")

    @property
    def pairs(self) -> dict[str, str]:
        """Field here -> field of the counted record."""
        return dict(zip(self.fields, self.key or self.fields, strict=True))


class Limit(RowChecked):
    """What a field adds up to (or each value of it) by key is not over what another record's field adds up to."""

    kind: Literal["limit"]
    field: str
    of: Owned
    by: Texts = Key(min_length=1)
    each: bool = Key(default=False, description="every line by itself, instead of their sum")


class Derived(RowChecked):
    """A field is written from others: `{departamento}{municipio}H####`, each # a digit."""

    kind: Literal["derived"]
    field: str
    template: str


class Counter(RowChecked):
    """The last digits of a field count the lines that share what stands before them: 0001, 0002… without a gap."""

    kind: Literal["counter"]
    field: str
    digits: int = Key(gt=0)


class Unique(RowChecked):
    """No two lines share these values; for a record with more than one key."""

    kind: Literal["unique"]
    fields: Texts = Key(min_length=1)


class Sorted(RowChecked):
    """The lines stand in the order of these fields."""

    kind: Literal["sorted"]
    fields: Texts = Key(min_length=1)


class Count(Checked):
    """A control field counts the lines of some records."""

    kind: Literal["count"]
    field: Owned
    over: Texts


#: Digits that a field may have and still be added up: a billion of them still fit a decimal of 38.
WIDEST_SUMMED = 20


class Sum(Checked):
    """A control field is the sum of a field of the detail lines."""

    kind: Literal["sum"]
    field: Owned
    of: Owned


class Distinct(Checked):
    """A control field counts the different values of a field, or of some fields together, of the detail lines."""

    kind: Literal["distinct"]
    field: Owned
    of: Owneds


Row = Value | Order | Computed | EqualSums | OneOf | Together | Bands | Parts
Lines = Parent | Children | Limit | Derived | Counter | Unique | Sorted
_KINDS = (*get_args(Row), *get_args(Lines), Count, Sum, Distinct)
Check = Annotated[
    Row | Lines | Count | Sum | Distinct,
    ByKind({get_args(kind.__annotations__["kind"])[0]: kind for kind in _KINDS}),
]
