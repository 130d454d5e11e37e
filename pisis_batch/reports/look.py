"""Templates to HTML and text. Escaping is forced on for every HTML template, whatever its suffix."""

import textwrap
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from pisis_batch.reports import stencil
from pisis_batch.reports.page import Page

if TYPE_CHECKING:
    import css_inline
    from jinja2 import Environment

_WIDTH = 78


@cache
def _templates(*, escaped: bool) -> "Environment":
    """The environment of the HTML templates, or of the text ones.

    A text part has no markup to escape; what it must not carry, control characters, is drawn before it gets here.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 a check prints no document

    return Environment(
        loader=PackageLoader("pisis_batch.reports", "plantillas"),
        autoescape=escaped,  # noqa: S701 see above
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,  # they travel with the program
    )


@cache
def _inliner() -> "css_inline.CSSInliner":
    """Styles go into the elements, for Outlook; the media queries stay in the head, for phones and the dark."""
    import css_inline  # noqa: PLC0415 as above

    return css_inline.CSSInliner(keep_style_tags=True, load_remote_stylesheets=False)


def load() -> None:
    """Have everything that a document needs ready."""
    _inliner()
    for escaped, ending in ((True, "html.jinja"), (False, "txt.jinja")):
        made = _templates(escaped=escaped)
        for name in made.list_templates(filter_func=lambda name, ending=ending: name.endswith(ending)):  # type: ignore[misc]
            made.get_template(name)


def render(template: str, **named: Any) -> str:
    """A template with its own style and escaped values, as it is."""
    return _templates(escaped=True).get_template(template).render(**named)


def html(template: str, page: Page) -> str:
    """A page as self-contained HTML: no script, no link, nothing remote."""
    marked = stencil.marked(page)
    if marked is None:
        return _inlined(template, page, page.at[:10])
    return stencil.filled(_stencil(template, marked.page, marked.day), marked.texts, _escaped)


@lru_cache(maxsize=64)
def _stencil(template: str, page: Page, day: str) -> stencil.Stencil:
    return stencil.cut(_inlined(template, page, day))


def _inlined(template: str, page: Page, day: str) -> str:
    return _inliner().inline(_templates(escaped=True).get_template(f"{template}.html.jinja").render(page=page, day=day))


def _escaped(text: str) -> str:
    """A text between elements as the library that puts the styles in writes it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def text(page: Page) -> str:
    """A page as plain text of at most 78 columns, readable alone."""
    marked = stencil.marked(page)
    if marked is None:
        told = _unwrapped(page, page.at[:10], page.headline.upper())
    else:
        told = stencil.filled(_text_stencil(marked.page, marked.day, marked.loud), marked.texts, str)
    lines = told.split("\n")
    wrapped = [_wrapped(line) if len(line) > _WIDTH else line for line in lines]
    return "\n".join(wrapped).strip() + "\n"


@lru_cache(maxsize=64)
def _text_stencil(page: Page, day: str, loud: str) -> stencil.Stencil:
    return stencil.cut(_unwrapped(page, day, loud))


def _unwrapped(page: Page, day: str, loud: str) -> str:
    return _templates(escaped=False).get_template("documento.txt.jinja").render(page=page, day=day, loud=loud)


def _wrapped(line: str) -> str:
    """A line in pieces of at most 78 columns, broken between words, those of a list item indented."""
    indent = "  " if line[:2] in {"- ", "* ", "  "} else ""
    words = line.split(" ")
    if "" in words or not line.isprintable() or max(map(len, words)) > _WIDTH - len(indent):
        return textwrap.fill(line, _WIDTH, subsequent_indent=indent, break_on_hyphens=False)
    made, now = [], words[0]  # what the library does in the plain case, where it costs a tenth of a document
    for word in words[1:]:
        if len(now) + 1 + len(word) <= _WIDTH:
            now += f" {word}"
        else:
            made.append(now)
            now = indent + word
    return "\n".join([*made, now])
