"""`informe.html`: every finding in one file that works offline, to be searched, filtered and opened line by line."""

import base64
import hashlib
from collections import Counter
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib import resources
from typing import Any, NamedTuple

import polars as pl
from markupsafe import Markup, escape

from pisis_batch import validators
from pisis_batch.causes import Diagnosis, diagnose
from pisis_batch.reports import columnas, look, stencil
from pisis_batch.reports.page import Page, number
from pisis_batch.reports.told import Told
from pisis_batch.validators.sentences import Worded

#: Findings in the report: what a browser still searches between two keystrokes.
MOST = 120_000
_BARS = 8
_BINS, _TALL = 60, 56


class Bar(NamedTuple):
    """A row of a chart: `share` is the length in per cent of the longest, `only` the filter that shows its findings."""

    label: str
    many: str
    share: str
    tone: str
    only: str


class Chart(NamedTuple):
    """Horizontal bars with their figures beside them."""

    title: str
    bars: tuple[Bar, ...]


class Strip(NamedTuple):
    """Where in the file the findings are: a bar for each piece of it, in pixels, and the same in words."""

    bars: tuple[int, ...]
    last: str
    said: str


def report(told: Told, page: Page) -> bytes:
    """The report as UTF-8 HTML, under the head of the verdict's document.

    Past 120.000 findings it has the first ones and says where all are.
    """
    outcome = told.outcome
    found = diagnose(outcome)
    if not found.causes:
        return _of_none(page).encode("utf-8")
    columns = columnas.few(_few_by_line(told, found)) if told.few is not None else columnas.many(_by_line(told, found))
    titles = [cause.title for cause in found.causes]
    hidden = max(len(told) - MOST, 0)
    text = _rendered(
        page,
        charts=_charts(told),
        strip=_strip(told, len(told.original)),
        capped=_capped(hidden) if hidden else "",
        explained=found.headline,
        rules=[validators.RULES[code] for code in sorted(told.codes)],
        blocks=columnas.blocks(columns, outcome.examined.layout, told.original, titles),
    )
    return text.encode("utf-8")


def _rendered(page: Page, **found: Any) -> str:
    css, js = _source("informe.css"), _source("informe.js")
    own = {"css": Markup(css), "js": Markup(js), "policy": _policy(css, js)}  # noqa: S704 our own files
    return look.render("informe.html.jinja", page=page, **own, **found)


def _of_none(page: Page) -> str:
    """The report of a file without findings."""
    marked = stencil.marked(page)
    if marked is None:
        return _rendered(page, rules=[], blocks=[])
    return stencil.filled(_stencil(marked.page), marked.texts, lambda text: str(escape(text)))


@lru_cache(maxsize=16)
def _stencil(page: Page) -> stencil.Stencil:
    return stencil.cut(_rendered(page, rules=[], blocks=[]))


def _few_by_line(told: Told, found: Diagnosis) -> list[tuple[Worded, int]]:
    """Every finding by line, in words, each with the place of its cause."""
    places = {cause.key: place for place, cause in enumerate(found.causes)}
    rows = zip(told.few or (), map(places.__getitem__, found.cause_of), strict=True)
    return sorted(rows, key=lambda one: (one[0].line is not None, one[0].line or 0))


def _by_line(told: Told, found: Diagnosis) -> pl.DataFrame:
    """The first findings by line, in words, each with the place of its cause."""
    keys = [cause.key for cause in found.causes]
    lines = told.findings.select("line").with_row_index("place")
    places = lines.sort("line", nulls_last=False, maintain_order=True)["place"].head(MOST)
    causes = found.cause_of[places].replace_strict(keys, range(len(keys)), return_dtype=pl.UInt32)
    return told.chosen(places).with_columns(cause=causes)


def _capped(hidden: int) -> str:
    return (
        f"Aquí están los primeros {number(MOST)} hallazgos; hay {number(hidden)} más. "
        "Todos están en hallazgos.csv y en ack.json; las gráficas los cuentan todos."
    )


@cache
def _source(name: str) -> str:
    return resources.files("pisis_batch.reports").joinpath("plantillas", name).read_text("utf-8")


@cache
def _policy(css: str, js: str) -> str:
    """Nothing is fetched, nothing is run but the one script and style that are written here."""
    style, script = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (css, js))
    own = f"style-src 'sha256-{style}'; script-src 'sha256-{script}'"
    return f"default-src 'none'; {own}; base-uri 'none'; form-action 'none'"


def _charts(told: Told) -> list[Chart]:
    """Findings by cause and by field, the longest bars first."""
    causes: list[tuple[str, int, str, str]] = [
        (cause.title, cause.explained, cause.severity, f"causa={place}")
        for place, cause in enumerate(diagnose(told.outcome).causes)
    ]
    layout, named = told.outcome.examined.layout, Counter[tuple[str, str]]()
    for (record, field), many in _by_field(told).items():
        named[f"{record or ''}.{field or ''}", field or ""] += many
    labels = layout.labels if layout else {}
    rows = sorted((name, labels.get(name, field), many) for (name, field), many in named.items())
    fields = [(label, many, "", f"campo={name}") for name, label, many in rows if label]
    charts = [
        _chart("Hallazgos por causa", causes, "Otras {} causas"),
        _chart("Hallazgos por campo", fields, "Otros {} campos"),
    ]
    return [chart for chart in charts if chart.bars]


def _by_field(told: Told) -> Mapping[tuple[str | None, str | None], int]:
    if told.few is not None:
        return Counter((row.record, row.field) for row in told.few)
    counted = told.findings.group_by("record", "field").len()
    return {(record, field): many for record, field, many in counted.iter_rows()}


def _chart(title: str, counted: list[tuple[str, int, str, str]], rest: str) -> Chart:
    counted = sorted(counted, key=lambda one: -one[1])
    shown, left = counted[:_BARS], counted[_BARS:]
    if left:
        shown.append((rest.format(len(left)), sum(many for _, many, _, _ in left), "", ""))
    longest = max((many for _, many, _, _ in shown), default=1)
    bars = (Bar(label, number(many), f"{100 * many / longest:.1f}", tone, only) for label, many, tone, only in shown)
    return Chart(title, tuple(bars))


def _strip(told: Told, last: int) -> Strip | None:
    """Findings along the file; None when they have no lines, or the file too few to have a shape."""
    lines = _by_place(told, last) if last >= _BINS else {}
    if not lines:
        return None
    counts = [lines.get(place, 0) for place in range(_BINS)]
    most = max(counts)
    peak = counts.index(most)
    start, end = peak * last // _BINS + 1, max((peak + 1) * last // _BINS, peak * last // _BINS + 1)
    said = (
        f"Donde más hay es entre las líneas {number(start)} y {number(end)}: {number(most)} de {number(sum(counts))}."
    )
    return Strip(tuple(-(-_TALL * many // most) for many in counts), number(last), said)


def _by_place(told: Told, last: int) -> Mapping[int, int]:
    """How many findings each piece of the file has."""
    if told.few is not None:
        return Counter(min(max(row.line - 1, 0), last - 1) * _BINS // last for row in told.few if row.line is not None)
    lines = told.findings["line"].drop_nulls().cast(pl.Int64)
    return dict(((lines - 1).clip(0, last - 1) * _BINS // last).value_counts().iter_rows())
