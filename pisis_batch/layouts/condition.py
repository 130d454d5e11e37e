"""Conditions: tables that say when something holds, joined by *and*; each clause is about one field.

{ sexo = "M" }                        the field is M
{ sexo = ["M", "F"] }                 one of these
{ accion = { not = "NA" } }           none of these
{ medios = { has = "10" } }           the comma list includes 10            (lacks: does not)
{ peso = { number = "1..18" } }       a number within limits
{ fecha = { real = true } }           a real date or value, not a wildcard  (false: empty or a wildcard)
{ otro = { filled = true } }          it holds something
{ nacimiento = { years = "10..59" } } completed years at the cut date       (months, days alike)
"""

from typing import Annotated, Any

from pisis_batch.layouts.span import Span
from pisis_batch.layouts.strict import Before, Key, OneOf, Strict


def _many(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Texts = Annotated[tuple[str, ...], Before(_many)]


class Not(Strict):
    """A clause that holds when the field has none of these values."""

    values: Texts = Key(alias="not")


class Test(Strict):
    """A clause about what a field holds rather than about its exact value; every key given must hold."""

    __test__ = False  # not a test of pytest's

    has: Texts = Key(default=(), description="the comma list includes one of these")
    lacks: Texts = Key(default=(), description="the comma list includes none of these")
    number: Span | None = Key(default=None, description="a number within these limits")
    real: bool | None = Key(default=None, description="holds a value that is no wildcard (false: empty or a wildcard)")
    filled: bool | None = Key(default=None, description="holds anything (false: empty)")
    years: Span | None = Key(default=None, description="completed years at the cut date, for a date of birth")
    months: Span | None = Key(default=None, description="completed months at the cut date")
    days: Span | None = Key(default=None, description="days at the cut date")

    @property
    def age(self) -> tuple[str, Span] | None:
        """The unit and limits of an age, if the clause has one."""
        return next(((unit, span) for unit in ("years", "months", "days") if (span := getattr(self, unit))), None)


def _kind(value: Any) -> str:
    if isinstance(value, Not) or (isinstance(value, dict) and "not" in value):
        return "not"
    return "test" if isinstance(value, Test | dict) else "values"


Clause = Annotated[Texts | Not | Test, OneOf({"values": Texts, "not": Not, "test": Test}, _kind)]
Condition = dict[str, Clause]

_UNITS = {"years": "años", "months": "meses", "days": "días"}


def clause_in_words(clause: Any, subject: str) -> str:
    """A clause as a Spanish phrase about its subject: `«Sexo» es M o F`."""
    if isinstance(clause, Not):
        return f"{subject} no es {' ni '.join(value or 'vacío' for value in clause.values)}"
    if not isinstance(clause, Test):
        return f"{subject} es {' o '.join(value or 'vacío' for value in clause)}"
    parts = []
    if clause.has:
        parts.append(f"incluye {' o '.join(clause.has)}")
    if clause.lacks:
        parts.append(f"no incluye {' ni '.join(clause.lacks)}")
    if clause.number:
        parts.append(f"es {clause.number.words()}")
    if clause.real is not None:
        parts.append("trae un dato real" if clause.real else "va vacío o con un comodín")
    if clause.filled is not None:
        parts.append("trae dato" if clause.filled else "va vacío")
    if clause.age:
        unit, span = clause.age
        parts.append(f"da una edad de {span.words()} {_UNITS[unit]} a la fecha de corte")
    return f"{subject} {' y '.join(parts)}"
