"""Commands about what is known: the page of a code, the layouts of the annexes."""

import difflib
import json
import sys
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pisis_batch.cli import REJECTED, authoring, excel
from pisis_batch.cli.output import as_json, console
from pisis_batch.cli.shelves import LAYOUTS, known, one
from pisis_batch.settings import BOGOTA

if TYPE_CHECKING:
    from pisis_batch.layouts import Layout


@click.command()
@click.argument("code")
def explain(code: str) -> None:
    """La página de un código de hallazgo: qué significa, por qué pasa y qué hacer."""
    from rich.markdown import Markdown

    from pisis_batch.validators import RULES
    from pisis_batch.validators.pages import rule_page

    rule = RULES.get(code.upper())
    if rule is None:
        near = difflib.get_close_matches(code.upper(), RULES, n=3)
        hint = f"; ¿quiso decir {', '.join(near)}?" if near else ""
        raise click.BadParameter(f"no existe el código {code.upper()}{hint}", param_hint="CODE")
    out = console()
    out.print(Markdown(rule_page(rule)) if out.is_terminal else rule_page(rule), markup=False)


@click.command()
@click.argument("what", type=click.Choice(["ack"]))
def schema(what: str) -> None:
    """El JSON Schema (draft 2020-12) de ack.json, la respuesta para programas."""
    from pisis_batch.reports import ack_schema

    del what  # so far there is one; the layouts' own is «pisis layouts schema»
    as_json(ack_schema())


@click.group()
@LAYOUTS
def layouts() -> None:
    """Los anexos técnicos que se reciben."""


@layouts.command("list")
@click.pass_obj
def layouts_list(workspace: Path | None) -> None:
    """Los anexos y sus versiones."""
    for layout in known(workspace):
        click.echo(f"{layout.annex}  {layout.version}  desde {layout.valid_from}  {layout.title}")


@layouts.command("show")
@click.argument("annex")
@click.option("--format", "form", type=click.Choice(["text", "html"]), default="text", show_default=True)
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Archivo de destino.")
@click.pass_obj
def layouts_show(workspace: Path | None, annex: str, form: str, output: Path | None) -> None:
    """La página de un anexo (ANNEX o ANNEX@versión), reconstruida de su definición.

    Con --format html es una página completa en un solo archivo, para publicar o enviar.
    """
    from rich.markdown import Markdown

    from pisis_batch.layouts.explain import page

    layout = one(annex, workspace)
    if form == "html":
        from pisis_batch.reports.anexo import annex_html

        text = annex_html(layout)
    else:
        text = page(layout)
    out = console()
    if output is not None:
        output.write_text(text, "utf-8")
        click.echo(str(output))
    elif form == "text" and out.is_terminal:
        out.print(Markdown(text))
    else:
        click.echo(text, nl=False)


@layouts.command("sample")
@click.argument("annex")
@click.option("--rows", default=5, show_default=True, type=click.IntRange(1), help="Registros de cada tipo.")
@click.option("--cut", type=click.DateTime(["%Y-%m-%d"]), help="Fecha de corte; hoy si no se dice.")
@click.option("--seed", default=0, help="Otra semilla da otros valores.")
@click.option("--output", type=click.Path(file_okay=False, path_type=Path), default=Path(), help="Carpeta de destino.")
@click.option("--breaking", metavar="CODE", help="Un archivo que produce este código de hallazgo y ninguno más.")
@click.option(
    "--registry",
    type=click.Path(file_okay=False, path_type=Path),
    help="Con --breaking: carpeta para las tablas del registro que el caso necesita (pisis registry load).",
)
@click.pass_obj
def layouts_sample(
    workspace: Path | None,
    annex: str,
    rows: int,
    cut: datetime | None,
    seed: int,
    output: Path,
    breaking: str | None,
    registry: Path | None,
) -> None:
    """Escribe un archivo de muestra con datos ficticios y estructura correcta.

    Con --breaking el archivo falla en una sola cosa. Si el código es de contenido, lo que falla depende del registro:
    --registry DIR escribe las tablas en las que el archivo produce ese código, un CSV por tabla.
    """
    from pisis_batch.writing import sample

    day = (cut or datetime.now(BOGOTA)).date()
    output.mkdir(parents=True, exist_ok=True)
    if breaking:
        _broken(one(annex, workspace, day), breaking.upper(), day, output, registry)
        return
    name, content = sample(one(annex, workspace, day), rows, cut=day, seed=seed)
    (output / name).write_bytes(content)
    click.echo(str(output / name))


def _broken(layout: "Layout", code: str, day: date, output: Path, registry: Path | None) -> None:
    """Write the failing file of a code, the files that go before it, and its registry."""
    from pisis_batch.breaking import WITHOUT_A_FILE, breaking
    from pisis_batch.validators import RULES

    if code not in RULES:
        raise click.BadParameter(f"no existe el código {code}", param_hint="--breaking")
    made = None if code in WITHOUT_A_FILE else breaking(layout, code, day)
    if made is None:
        reason = WITHOUT_A_FILE.get(code, "el anexo no puede fallar así; pruebe con otro (pisis layouts list)")
        raise click.BadParameter(f"no hay archivo de {layout.annex} para {code}: {reason}", param_hint="--breaking")
    for place, (name, content) in enumerate(made.before, start=1):
        (output / f"antes-{place}").mkdir(exist_ok=True)
        (output / f"antes-{place}" / name).write_bytes(content)
        click.echo(f"{output / f'antes-{place}' / name}  (cárguelo antes, como {made.sender})")
    (output / made.name).write_bytes(made.content)
    who = f"  (lo envía {made.sender})" if made.sender else ""
    click.echo(f"{output / made.name}{who}")
    if made.tables and registry is None:
        click.echo("El código depende del registro: con --registry DIR se escriben las tablas del caso.", err=True)
    if registry is None:
        return
    registry.mkdir(parents=True, exist_ok=True)
    for table, text in made.tables.items():
        (registry / f"{table}.csv").write_text(text, "utf-8")
        click.echo(f"pisis registry load {table} {registry / f'{table}.csv'}")


@layouts.command("lint")
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_obj
def layouts_lint(workspace: Path | None, files: tuple[Path, ...]) -> None:
    """Revisa definiciones de anexos: las conocidas, o los FILE que se nombren."""
    from pisis_batch.cli.lint import lint

    many, found = lint(files, workspace)
    for problem in found:
        click.echo(problem)
    if found:
        sys.exit(REJECTED)
    click.echo(f"{many} definiciones sin errores.")


@layouts.command("schema")
def layouts_schema() -> None:
    """El JSON Schema de las definiciones, para el editor."""
    from pisis_batch.layouts import json_schema

    click.echo(json.dumps(json_schema(), ensure_ascii=False, indent=1))


for _command in (authoring.new, authoring.diff, authoring.impact, excel.template):
    layouts.add_command(_command)
