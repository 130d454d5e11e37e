"""Writes the pages that are derived from the code: annexes, rules, commands and the layout's JSON Schema.

`--check` writes nothing and names the pages that are stale. The lock of the codes is among them: a code that vanished,
came back or means something else is refused; `--reworded=CODE` says that a change of its title or severity is meant.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from pisis_batch.cli import root
from pisis_batch.layouts import json_schema, shelf
from pisis_batch.layouts.explain import page
from pisis_batch.validators import RULES
from pisis_batch.validators.codes import renewed
from pisis_batch.validators.pages import rule_page

HOME = Path(__file__).resolve().parent.parent
LOCK = HOME / "tests/codes.lock"
_NOTE = "<!-- Página generada: no la edite, cambie su fuente y ejecute «make docs-write». -->\n\n"
_FAMILIES = {
    "NOM": "El nombre del archivo",
    "EST": "Estructura: líneas y campos",
    "ARC": "El archivo completo",
    "REM": "El remitente",
    "CTL": "El control y la entidad",
    "USR": "Usuarios",
    "PRF": "Perfiles",
    "REG": "Registros almacenados",
    "FIR": "Firma digital",
    "SIS": "Fallas nuestras",
}


def pages() -> Iterator[tuple[Path, str]]:
    """Every generated page with its content."""
    for layout in shelf():
        newest = shelf().get(layout.annex) == layout
        name = layout.annex if newest else f"{layout.annex}-{layout.valid_from}"
        yield HOME / f"docs/anexos/{name}.md", _NOTE + page(layout)
    yield HOME / "docs/reglas.md", _NOTE + _rules()
    yield HOME / "docs/cli.md", _NOTE + _commands()
    yield LOCK, renewed(LOCK.read_text("utf-8") if LOCK.exists() else "", RULES.values())[0]
    schema = json.dumps(json_schema(), ensure_ascii=False, indent=1) + "\n"
    yield HOME / "pisis_batch/layouts/layout.schema.json", schema


def _rules() -> str:
    lines = [
        "# Reglas",
        "",
        f"{len(RULES)} códigos. «Ficha» es la ficha del anexo; A y B, sus requisitos; Q, sus decisiones.",
        "",
        "`pisis layouts sample SEG500USIN --breaking EST021` escribe un archivo que falla en ese código y en",
        "ninguno más; con `--registry DIR`, también las tablas del registro que un código de contenido necesita.",
    ]
    for family, title in _FAMILIES.items():
        lines += ["", f"- **{family}** {title}: "]
        lines[-1] += ", ".join(f"[{code}](#{_anchor(code)})" for code in RULES if code.startswith(family))
    for code in sorted(RULES, key=lambda code: (list(_FAMILIES).index(code[:3]), code)):
        lines += ["", rule_page(RULES[code]).rstrip()]
    return "\n".join(lines) + "\n"


def _anchor(code: str) -> str:
    title = f"{code}: {RULES[code].title}".lower()
    return "".join(c for c in title if c.isalnum() or c in " -").replace(" ", "-")


def _commands() -> str:
    lines = ["# Órdenes", ""]
    for path, command in _walk("pisis", root):
        context = click.Context(command, info_name=path)
        lines += [f"## {path}", "", "```text", command.get_help(context).rstrip(), "```", ""]
    return "\n".join(lines)


def _walk(path: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=path)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            if found:
                yield from _walk(f"{path} {name}", found)


def main() -> None:
    """Write, or check."""
    meant = [argument.partition("=")[2] for argument in sys.argv if argument.startswith("--reworded=")]
    problems = renewed(LOCK.read_text("utf-8"), RULES.values(), meant)[1] if LOCK.exists() else []
    for problem in problems:
        click.echo(problem)
    if problems:
        sys.exit(1)
    stale = [path for path, text in pages() if not path.exists() or path.read_text("utf-8") != text]
    if "--check" in sys.argv:
        for path in stale:
            click.echo(f"desactualizada: {path.relative_to(HOME)}")
        sys.exit(1 if stale else 0)
    for path, text in pages():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
