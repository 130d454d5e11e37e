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
    "mutated": ("Registros alterados por lectura y validación completas", "registros", 1_000_000),
    "smtp": ("Sesiones SMTP al azar con fallas", "sesiones", 2000),
    "mutants": ("Defectos sembrados que las pruebas encontraron", "defectos", 40),
}

_MORE = {"files": "Archivos", "distinct": "Estados distintos", "recovered": "recuperados del todo"}
_HOW = """Cada vida del servicio es un proceso aparte que muere de verdad (`SIGKILL`) y otro que se recupera; un tercero hace las
cuentas desde afuera. El proceso padre tiene todo cargado y el fallo de un archivo, que es una función pura, lo da un
proceso de larga vida que responde una sola vez por el mismo archivo con las mismas respuestas del registro: así cada
intento cuesta lo que cuesta su parte durable. La clase «isolated» usa en cambio el proceso aislado de verdad.

Las llamadas al sistema se cuentan, se niegan o se registran con una biblioteca que se carga antes que libc
(`tests/campaign/shim.c`): pasan por ella las de Python y las de SQLite, y solo se cuenta la falla que de verdad ocurrió.

El corte de energía se simula a partir de esas llamadas (`tests/campaign/disk.py`): queda lo que se llevó al disco y
cualquier parte de lo demás: escrituras en cualquier subconjunto, una rota a 512 o 4096 bytes, nombres creados, movidos o
borrados que aún no estaban en el disco. Supuestos: un cambio de nombre ocurre entero o no ocurre, y queda firme al
sincronizar cualquiera de sus dos carpetas; el índice de memoria compartida de SQLite se pierde siempre. Cada estado se
examina (base íntegra, cada acuse con su original, nada prometido falta, ningún archivo desaparece); de los que difieren
en lo que dice la base o en sus archivos, los que dice la nota se recuperaron del todo.
""".splitlines()


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
        "perdidos, aplicados dos veces, fuera de orden, sin respuesta, o salidas sin escapar: debe ser siempre 0. Las que una",
        "corrida encontró y se corrigieron van aparte, con lo que se hizo en la nota.",
        "",
        "| Clase | Hecho | Meta | Fallas | Corregidas |",
        "|---|---:|---:|---:|---:|",
    ]
    for kind, (title, unit, goal) in KINDS.items():
        of_kind = [run for run in runs if run["kind"] == kind]
        done = sum(int(run["kills"]) for run in of_kind)
        broken = sum(len(run["broken"]) for run in of_kind)
        mended = sum(len(run.get("mended", ())) for run in of_kind)
        lines.append(f"| {title} | {done} {unit} | {goal} | {broken} | {mended} |")
    lines += [
        "",
        *_HOW,
        "## Corridas",
        "",
        "| Clase | Cambio | Semilla | Intentos | Contado | Segundos | Fallas | Nota |",
        "|---|---|---:|---:|---:|---:|---|---|",
    ]
    for run in runs:
        broken = "; ".join(run["broken"]) or "0"
        done = [f"{word} {run[name]}" for name, word in _MORE.items() if name in run]
        note = ". ".join([*([", ".join(done)] if done else []), *([run["note"]] if "note" in run else [])])
        cells = [run["kind"], run.get("commit", ""), run["seed"], run["trials"], run["kills"], run.get("seconds", "")]
        lines.append("| " + " | ".join(map(str, [*cells, broken, note])) + " |")
    return "\n".join(lines) + "\n"
