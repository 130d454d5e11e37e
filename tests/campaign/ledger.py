"""The ledger: what each run of the campaign did and found, with its seed; and the page made of it."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "ledger.json"
BURSTS = Path(__file__).parent / "bursts.json"
#: What was seen by hand, in words.
LIVE = Path(__file__).parent / "live.md"
PAGE = Path(__file__).parents[2] / "docs" / "confiabilidad.md"
#: kind -> (what it is, what is counted, the goal of the whole campaign)
KINDS: Mapping[str, tuple[str, str, int]] = {
    "isolated": ("Muertes en un punto con nombre, con el proceso aislado que valida", "muertes", 200),
    "kills": ("Muertes en un punto con nombre, y otra vez al recuperarse", "muertes", 5000),
    "calls": ("Muertes en una llamada al sistema (fsync, syncfs, rename, unlink, pwrite)", "muertes", 300),
    "errors": ("Errores de disco inyectados (EIO, ENOSPC)", "errores", 1000),
    "power": ("Estados de disco tras un corte de energía", "estados", 50_000),
    "objects": ("Nombres y objetos hostiles en el buzón", "casos", 400),
    "hostile": ("Archivos hostiles con su veredicto esperado", "archivos", 2000),
    "mutated": ("Registros alterados por lectura y validación completas", "registros", 1_000_000),
    "fuzz": ("Archivos que busca la alteración guiada por lo que recorre (`make fuzz`)", "archivos", 2000),
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

`make fuzz` parte de archivos hostiles y los altera guiado por lo que cada uno hace recorrer (atheris), de los bytes al
veredicto y sus documentos; deja en `.fuzz` los que dieron un error nuestro, tardaron de más o dejaron algo sin escapar, y
los que no dan lo mismo leídos enteros y como si fueran grandes: por el recorrido compilado, en tramos de unas líneas.

`make sanitize` compila ese recorrido (`walk.c`) con las comprobaciones de memoria y de resultados indefinidos del compilador, le da
líneas al azar, archivos hostiles y los de `.fuzz` en arreglos sin un byte de más, y compara lo que dice de cada línea con las
expresiones. Una corrida con 360 000 líneas de nueve anexos (varios de prueba) y 2261 archivos no halló nada, ni otra de 36 000
líneas y 461 archivos después de que cambiara la pasada que distingue las celdas en duda; catorce defectos sembrados en él, sí.
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
        each = [int(run["kills"]) for run in of_kind]
        done = max(each, default=0) if kind == "mutants" else sum(each)  # the same defects again are no more defects
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
    return "\n".join([*lines, *_bursts(bursts()), *LIVE.read_text("utf-8").splitlines()]) + "\n"


def bursts() -> list[dict[str, Any]]:
    """The latest run of each kind and size of burst."""
    return json.loads(BURSTS.read_text("utf-8")) if BURSTS.exists() else []


def add_burst(run: Mapping[str, Any]) -> None:
    """Write a burst down in the place of the last one of its kind and size, and the page anew."""
    of = [(one["kind"], one.get("files"), one.get("folders")) for one in (run, *bursts())]
    kept = [one for key, one in zip(of[1:], bursts(), strict=True) if key != of[0]]
    BURSTS.write_text(json.dumps([*kept, dict(run)], ensure_ascii=False, indent=1) + "\n", "utf-8")
    PAGE.write_text(page(read()), "utf-8")


def _bursts(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    """What a running service does with many files at once, or with one that hangs."""
    if not runs:
        return []
    lines = [
        "",
        "## Ráfagas y archivos que se cuelgan",
        "",
        "Un servicio en marcha visto desde afuera (`make burst`): archivos de un registro que se rechazan, cada uno con sus",
        "mensajes, con las reglas contra avalanchas en vigor. «Firmes» es cuando todos tienen acuse y original en disco;",
        "«respondidos», cuando todos tienen sus documentos. Un arranque en frío encuentra todos los archivos esperando.",
        "",
        (
            "| Qué | Archivos | Carpetas | Primer fallo (s) | Firmes (s) | Firmes/s | Respondidos (s) | MiB | Con hijos "
            "(MiB) | Cartas: solas, en resumen, por resumir | Sin respuesta | Cambio |"
        ),
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---|---:|---|",
    ]
    names = {"burst": "ráfaga", "cold": "arranque en frío"}
    for run in sorted((run for run in runs if run["kind"] in names), key=lambda run: (run["kind"], run["files"])):
        figures = [run[name] or "" for name in ("first_verdict", "durable", "durable_each_second", "reported")]
        mails = ", ".join(str(run["mails"][name]) for name in ("sent", "in_digests", "in_line"))
        memory = [round(run["service_mib"]), round(run["together_mib"])]
        missing = run["unreported"] if run["reported"] else ""
        cells = [names[run["kind"]], run["files"], run["folders"], *figures, *memory, mails, missing, run["commit"]]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    for run in (run for run in runs if run["kind"] == "poison"):
        alone, hanging, killing = (", ".join(map(str, run[name])) for name in ("alone", "hanging", "killing"))
        lines += [
            "",
            f"Un archivo de otra entidad tarda hasta sus documentos {alone} s; con el proceso de un archivo grande detenido",
            f"hasta su límite de tiempo, {hanging} s; con el proceso de otro muerto a mitad del trabajo, {killing} s. Lo más que un",
            f"archivo así demoró a otro: {run['delay']} s (meta: 1 s; cambio {run['commit']}).",
        ]
    return lines


def commit() -> str:
    """The commit that last changed the program, with a plus sign when it has been changed since."""
    git = ["git", "-C", str(Path(__file__).parents[2])]
    try:
        name = _said([*git, "log", "-1", "--format=%h", "--", "pisis_batch"])
        return name + ("+" if _said([*git, "status", "--porcelain", "--", "pisis_batch"]) else "")
    except (OSError, subprocess.CalledProcessError):
        return ""


def _said(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip()
