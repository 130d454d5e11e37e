"""The page of an annex for people: one HTML file without anything remote, for a screen, a phone or paper."""

import re
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from pisis_batch.layouts import CATALOGS, Field, Layout, Record
from pisis_batch.layouts.explain import help_of, page, required
from pisis_batch.layouts.explain_checks import checks_in_words

_POINT = re.compile(r"^\s*- \*\*(.+?)\*\*(.*)$")


@dataclass(frozen=True, slots=True)
class Line:
    """A field as the page shows it."""

    number: int
    label: str
    name: str
    must: str  # si, no or depende
    form: str
    more: str
    codes: tuple[tuple[str, str], ...]


def annex_html(layout: Layout) -> str:
    """The page, as text in UTF-8."""
    text = page(layout).split("\n")
    end = next((n for n, line in enumerate(text) if line.startswith("## ")), len(text))
    head = [found for line in text[:end] if (found := _POINT.match(line))]
    lines = list(checks_in_words(layout)) if layout.check else []
    checks = [line.removeprefix("- ") for line in lines if line.startswith("- ")]
    return _template().render(
        layout=layout,
        points=[(one[1], one[2].lstrip(" :").replace("`", "")) for one in head],
        records=[
            (record, [_line(n, field, record) for n, field in enumerate(record.fields)]) for record in layout.records
        ],
        unique={r.name: ", ".join(f"«{r.by_name[n].label}»" for n in r.unique) for r in layout.records},
        checks=[line.replace("**", "").replace("`", "") for line in checks],
    )


def _line(number: int, field: Field, record: Record) -> Line:
    said = required(field, record)
    form, more = help_of(field, record)
    codes = dict(field.values or {})
    catalog = CATALOGS.get(field.catalog or "")
    if catalog and not catalog.elsewhere and not codes:
        codes = dict(catalog.codes)
    if codes:  # told as a list below
        more = field.note or ""
    must = "si" if said == "SI" else "no" if said in {"NO", "siempre vacío"} else "depende"
    if must != "depende":
        form = form.partition(" · ")[2]
    return Line(number, field.label, field.name, must, form, more.replace("`", ""), tuple(codes.items()))


@cache
def _template() -> Template:
    found = Environment(
        loader=PackageLoader("pisis_batch.reports", "plantillas"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return found.get_template("anexo.html.jinja")
