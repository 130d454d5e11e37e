"""What a document says, before it has a form: verdict first, figures that add up, causes, what to do, detail."""

from dataclasses import dataclass, field
from datetime import datetime

from pisis_batch.causes import diagnose
from pisis_batch.model import Outcome
from pisis_batch.reports.told import SHOWN, Told

_LINES = 3
#: A severity in a word.
KINDS = {"error": "Error", "advertencia": "Advertencia", "informativo": "Nota"}


@dataclass(frozen=True, slots=True)
class Cause:
    """A root cause, or all the findings of one code; `key` tells it apart in this file, `code` lists its codes."""

    key: str
    code: str
    severity: str
    kind: str
    title: str
    times: int
    many: str
    where: str
    why: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Row:
    """One finding in the detail."""

    place: str
    field: str
    kind: str
    message: str
    hint: str
    code: str


@dataclass(frozen=True, slots=True)
class Page:
    """Everything the templates print."""

    title: str
    tone: str
    headline: str
    lead: str
    guid: str
    md5: str
    sha256: str
    ruleset: str
    at: str
    received: str = ""
    file_name: str = ""
    who: str = ""
    id_label: str = ""
    id_number: str = ""
    municipio: str = ""
    sentence: str = ""
    handed_on: str = ""
    sum: str = ""
    next: str = ""
    more: str = ""
    files: str = ""
    summary_title: str = "Resumen por tipo de error y/o advertencia encontrado:"
    detail_title: str = "Detalle de los primeros 500 errores y/o advertencias encontrados:"
    figures: tuple[tuple[str, str], ...] = ()
    causes_line: str = ""
    causes: tuple[Cause, ...] = ()
    rows: tuple[Row, ...] = ()
    paragraphs: tuple[str, ...] = field(default=())


def number(value: int) -> str:
    """A figure as it is written in Colombia: 4.812."""
    return f"{value:,}".replace(",", ".")


def many(value: int, one: str, more: str) -> str:
    """`1 línea`, `4.812 líneas`."""
    return f"{number(value)} {one if value == 1 else more}"


def moment(at: datetime) -> str:
    """Day and time as the ministry prints them."""
    return at.strftime("%Y-%m-%d %I:%M:%S %p")


def visible(name: str) -> str:
    """A file name as it may be shown: printable characters only, at most 80."""
    drawn = "".join(c if c.isprintable() else "⍰" for c in name)
    return drawn if len(drawn) <= 80 else drawn[:79] + "…"  # noqa: PLR2004 said above


def causes(outcome: Outcome) -> tuple[Cause, ...]:
    """The causes as they are told: errors first, root causes before groups of one code, the largest first."""
    return tuple(
        Cause(
            key=cause.key,
            code=", ".join(cause.codes),
            severity=cause.severity,
            kind=KINDS[cause.severity],
            title=cause.title,
            times=cause.explained,
            many=many(cause.explained, "caso", "casos"),
            where=_where(list(cause.lines[:_LINES]), cause.line_count),
            why=f"{cause.es}.",
            remedy=cause.remedy,
        )
        for cause in diagnose(outcome).causes
    )


def _where(lines: list[int], total: int) -> str:
    if not lines:
        return "todo el archivo"
    if total == 1:
        return f"línea {lines[0]}"
    if total > len(lines):
        return f"líneas {', '.join(map(str, lines))} y {number(total - len(lines))} más"
    return f"líneas {', '.join(map(str, lines[:-1]))} y {lines[-1]}"


def rows(told: Told) -> tuple[Row, ...]:
    """The first 500 findings, identification numbers masked."""
    return tuple(
        Row(
            place=f"línea {row.line}" if row.line is not None else "archivo",
            field=f"{row.field_no}. {row.label}" if row.field_no is not None else row.label,
            kind=KINDS[row.severity],
            message=row.message,
            hint=row.suggestion,
            code=row.code,
        )
        for row in told.first
    )


def more(outcome: Outcome) -> str:
    """What is said when the detail does not show everything."""
    hidden = len(outcome.findings) - SHOWN
    if hidden <= 0:
        return ""
    return f"Hay {many(hidden, 'hallazgo más', 'hallazgos más')}: el archivo adjunto hallazgos.csv los tiene todos."
