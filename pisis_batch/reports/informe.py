"""`informe.html`: every finding in one file that works offline, to be searched, filtered and opened line by line."""

import base64
import hashlib
from functools import cache
from importlib import resources
from typing import NamedTuple

import polars as pl
from markupsafe import Markup

from pisis_batch import validators
from pisis_batch.causes import Diagnosis, diagnose
from pisis_batch.reports import columnas, look
from pisis_batch.reports.original import Original
from pisis_batch.reports.page import Page, number
from pisis_batch.reports.told import NO_ROWS, Told

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
    original = Original(outcome.received.content, outcome.examined.layout)
    found = diagnose(outcome)
    rows = _by_line(told, found) if len(told) else NO_ROWS
    css, js = _source("informe.css"), _source("informe.js")
    titles = [cause.title for cause in found.causes]
    hidden = len(told) - rows.height
    text = look.render(
        "informe.html.jinja",
        page=page,
        css=Markup(css),  # noqa: S704 our own file
        js=Markup(js),  # noqa: S704 our own file
        policy=_policy(css, js),
        charts=_charts(told) if titles else [],
        strip=_strip(told, len(original)) if titles else None,
        capped=_capped(hidden) if hidden else "",
        explained=found.headline,
        rules=[validators.RULES[code] for code in sorted(told.codes)],
        blocks=list(columnas.blocks(rows, outcome.examined.layout, original, titles)) if titles else [],
    )
    return text.encode("utf-8")


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
    name = pl.concat_str(pl.col("record").fill_null(""), pl.lit("."), pl.col("field").fill_null("")).alias("name")
    counted = told.findings.group_by("record", "field").len()
    counted = counted.group_by(name).agg(pl.first("record", "field"), pl.sum("len"))
    labelled = counted.with_columns(label=validators.label(told.outcome.examined.layout)).filter(pl.col("label") != "")
    rows = sorted(labelled.select("name", "label", "len").iter_rows())
    fields = [(label, many, "", f"campo={name}") for name, label, many in rows]
    charts = [
        _chart("Hallazgos por causa", causes, "Otras {} causas"),
        _chart("Hallazgos por campo", fields, "Otros {} campos"),
    ]
    return [chart for chart in charts if chart.bars]


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
    lines = told.findings["line"].drop_nulls()
    if lines.is_empty() or last < _BINS:
        return None
    at = ((lines.cast(pl.Int64) - 1).clip(0, last - 1) * _BINS // last).value_counts()
    counts = [0] * _BINS
    for place, many in at.iter_rows():
        counts[place] = many
    most = max(counts)
    peak = counts.index(most)
    start, end = peak * last // _BINS + 1, max((peak + 1) * last // _BINS, peak * last // _BINS + 1)
    said = (
        f"Donde más hay es entre las líneas {number(start)} y {number(end)}: {number(most)} de {number(lines.len())}."
    )
    return Strip(tuple(-(-_TALL * many // most) for many in counts), number(last), said)
