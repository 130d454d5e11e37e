"""Templates to HTML and text. Escaping is forced on for every HTML template, whatever its suffix."""

import textwrap
from functools import cache

import css_inline
from jinja2 import Environment, PackageLoader, StrictUndefined

from pisis_batch.reports.page import Page

_HTML = Environment(
    loader=PackageLoader("pisis_batch.reports", "plantillas"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
# A text part has no markup to escape; what it must not carry, control characters, is drawn before it gets here.
_TEXT = Environment(
    loader=PackageLoader("pisis_batch.reports", "plantillas"),
    autoescape=False,  # noqa: S701 plain text, see above
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_WIDTH = 78


@cache
def _inliner() -> css_inline.CSSInliner:
    """Styles go into the elements, for Outlook; the media queries stay in the head, for phones and the dark."""
    return css_inline.CSSInliner(keep_style_tags=True, load_remote_stylesheets=False)


def html(template: str, page: Page) -> str:
    """A page as self-contained HTML: no script, no link, nothing remote."""
    return _inliner().inline(_HTML.get_template(f"{template}.html.jinja").render(page=page))


def text(page: Page) -> str:
    """A page as plain text of at most 78 columns, readable alone."""
    lines = _TEXT.get_template("documento.txt.jinja").render(page=page).split("\n")
    wrapped = [
        textwrap.fill(
            line, _WIDTH, subsequent_indent="  " if line[:2] in {"- ", "* ", "  "} else "", break_on_hyphens=False
        )
        if len(line) > _WIDTH
        else line
        for line in lines
    ]
    return "\n".join(wrapped).strip() + "\n"
