"""The ledger: what each run of the campaign did and found, with its seed; and the page made of it."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "ledger.json"
PAGE = Path(__file__).parents[2] / "docs" / "confiabilidad.md"
#: kind -> (what it is, what is counted, the goal of the whole campaign)
KINDS: Mapping[str, tuple[str, str, int]] = {
    "isolated": ("Muertes en un punto con nombre, con el proceso aislado que valida", "muertes", 200),
    "kills": ("Muertes en un punto con nombre, y otra vez al recuperarse", "muertes", 5000),
    "calls": ("Muertes en una llamada al sistema (fsync, rename, unlink, pwrite)", "muertes", 300),
    "errors": ("Errores de disco inyectados (EIO, ENOSPC)", "errores", 1000),
    "power": ("Estados de disco tras un corte de energía", "estados", 50_000),
    "objects": ("Nombres y objetos hostiles en el buzón", "casos", 400),
    "hostile": ("Archivos hostiles con su veredicto esperado", "archivos", 2000),
    "mutated": ("Entradas alteradas por lectura y validación completas", "entradas", 1_000_000),
    "smtp": ("Sesiones SMTP al azar con fallas", "sesiones", 2000),
    "mutants": ("Defectos sembrados que las pruebas encontraron", "defectos", 40),
}


def read() -> list[dict[str, Any]]:
    """Every run so far."""
    return json.loads(FILE.read_text("utf-8")) if FILE.exists() else []


def add(run: Mapping[str, Any]) -> None:
    """Write a run down, and the page anew."""
    runs = [*read(), dict(run)]
    FILE.write_text(json.dumps(runs, ensure_ascii=False, indent=1) + "\n", "utf-8")
    PAGE.write_text(page(runs), "utf-8")


def page(runs: Sequence[Mapping[str, Any]]) -> str:
    """The page in Markdown: totals against goals, then every run with its seed."""
    lines = [
        "# Confiabilidad: lo que la campaña hizo y encontró",
        "",
        "Esta página se escribe a partir de `tests/campaign/ledger.json`; cada fila es una corrida, y se repite",
        "con su semilla: `python -m campaign <clase> --seed <semilla> --trials <intentos>` dentro de `tests/`.",
        "`make campaign` corre todas las clases; `make test`, una versión corta de cada una. «Fallas» cuenta archivos",
        "perdidos, aplicados dos veces, fuera de orden, sin respuesta, o salidas sin escapar: debe ser siempre 0.",
        "",
        "| Clase | Hecho | Meta | Fallas |",
        "|---|---:|---:|---:|",
    ]
    for kind, (title, unit, goal) in KINDS.items():
        of_kind = [run for run in runs if run["kind"] == kind]
        done = sum(int(run["kills"]) for run in of_kind)
        broken = sum(len(run["broken"]) for run in of_kind)
        lines.append(f"| {title} | {done} {unit} | {goal} | {broken} |")
    lines += [
        "",
        "Lo que aún no llega a su meta está dicho como está. No se simuló el corte de energía: la biblioteca de SQLite que",
        "se usa no deja poner un sistema de archivos propio debajo; lo que se hizo es `synchronous=FULL` y escribir, llevar",
        "al disco y renombrar, en ese orden, y matar el proceso en cada llamada.",
        "",
        "## Corridas",
        "",
        "| Clase | Semilla | Intentos | Contado | Fallas | Nota |",
        "|---|---:|---:|---:|---|---|",
    ]
    for run in runs:
        broken = "; ".join(run["broken"]) or "0"
        lines.append(
            f"| {run['kind']} | {run['seed']} | {run['trials']} | {run['kills']} | {broken} | {run.get('note', '')} |"
        )
    return "\n".join(lines) + "\n"
