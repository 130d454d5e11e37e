"""Commands about what is known: the page of a code, the layouts of the annexes."""

import difflib
import json
import sys
from datetime import datetime
from pathlib import Path

import click

from pisis_batch.cli import REJECTED
from pisis_batch.cli.output import as_json, console
from pisis_batch.settings import BOGOTA


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
def layouts() -> None:
    """Los anexos técnicos que se reciben."""


@layouts.command("list")
def layouts_list() -> None:
    """Los anexos y sus versiones."""
    from pisis_batch.layouts import shelf

    for layout in shelf():
        click.echo(f"{layout.annex}  {layout.version}  desde {layout.valid_from}  {layout.title}")


@layouts.command("show")
@click.argument("annex")
def layouts_show(annex: str) -> None:
    """La página de un anexo, reconstruida de su definición."""
    from rich.markdown import Markdown

    from pisis_batch.layouts.explain import page

    out = console()
    text = page(_layout(annex))
    if out.is_terminal:
        out.print(Markdown(text))
    else:
        click.echo(text, nl=False)


def _layout(annex: str):  # type: ignore[no-untyped-def]  # noqa: ANN202 imported late
    from pisis_batch.layouts import shelf

    found = shelf().get(annex)
    if found is None:
        raise click.BadParameter(
            f"no se recibe el anexo {annex}; hay {', '.join(shelf().annexes())}", param_hint="ANNEX"
        )
    return found


@layouts.command("sample")
@click.argument("annex")
@click.option("--rows", default=5, show_default=True, type=click.IntRange(1), help="Registros de cada tipo.")
@click.option("--cut", type=click.DateTime(["%Y-%m-%d"]), help="Fecha de corte; hoy si no se dice.")
@click.option("--seed", default=0, help="Otra semilla da otros valores.")
@click.option("--output", type=click.Path(file_okay=False, path_type=Path), default=Path(), help="Carpeta de destino.")
def layouts_sample(annex: str, rows: int, cut: datetime | None, seed: int, output: Path) -> None:
    """Escribe un archivo de muestra con datos ficticios y estructura correcta."""
    from pisis_batch.writing import sample

    day = (cut or datetime.now(BOGOTA)).date()
    name, content = sample(_layout(annex), rows, cut=day, seed=seed)
    output.mkdir(parents=True, exist_ok=True)
    (output / name).write_bytes(content)
    click.echo(str(output / name))


@layouts.command("lint")
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def layouts_lint(files: tuple[Path, ...]) -> None:
    """Revisa definiciones de anexos: las incluidas, o los FILE que se nombren."""
    from pisis_batch.layouts import LayoutError, parse, shelf
    from pisis_batch.validators import check_layout

    found: list[str] = []
    many = 0
    try:
        checked = [(path.name, parse(path.read_text("utf-8"), path.name)) for path in files] or [
            (layout.annex, layout) for layout in shelf()
        ]
        for name, layout in checked:
            many += 1
            found += [f"{name}: {problem}" for problem in check_layout(layout)]
    except LayoutError as error:
        found += [f"{error.source}: {problem}" for problem in error.problems]
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
