"""The ledger of chaos: what each run did and found, with its commit and seed; and the page made of it."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "ledger.json"
PAGE = Path(__file__).parents[2] / "docs" / "caos.md"
_HARM = {
    "kill": "muertes", "pause": "pausas", "cut": "sesiones cortadas", "crash": "caídas de la base",
    "restart": "reemplazos", "dies": "muertes en un punto",
}  # fmt: skip
_BAD = {
    "lost": "perdidos", "doubled": "dobles", "disordered": "fuera de orden", "unreported": "sin respuesta",
    "open_links": "vínculos abiertos de más",
}  # fmt: skip


def read() -> list[dict[str, Any]]:
    """Every run so far."""
    return json.loads(FILE.read_text("utf-8")) if FILE.exists() else []


def add(run: Mapping[str, Any]) -> None:
    """Write a run down, and the page anew."""
    runs = [*read(), {"commit": _commit(), **run}]
    FILE.write_text(json.dumps(runs, ensure_ascii=False, indent=1) + "\n", "utf-8")
    PAGE.write_text(page(runs), "utf-8")


def _commit() -> str:
    said = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=FILE.parent, capture_output=True, text=True, check=False
    )
    return said.stdout.strip() or "?"


def page(runs: Sequence[Mapping[str, Any]]) -> str:
    """The page in Markdown."""
    chaos = [run for run in runs if run["kind"] == "chaos"]
    lines = [
        "# Caos: el clúster bajo maltrato",
        "",
        "Esta página se escribe a partir de `tests/chaos/ledger.json`; `make chaos` agrega una corrida y la rehace.",
        "Trabajadores y vigilantes son procesos de verdad, cada uno con su nombre de máquina y su red, sobre un",
        "PostgreSQL de verdad. Se los mata, se los duerme más que su arriendo, se cortan sus sesiones, se tumba la base y",
        "a dos se les atrasa o adelanta el reloj una hora. Luego hay paz, y un revisor lee la historia: cada archivo",
        "aplicado una vez, en orden de llegada dentro de su entidad, y contestado. Una ronda termina cuando no queda nada",
        "por hacer; se da por atascada si durante dos minutos y medio nada avanza.",
        "",
        "| Versión | Semillas | Minutos | Trabajadores | Archivos | " + " | ".join(_BAD.values()) + " | Calma en (s) |",
        "|---|---|---:|---:|---:|" + "---:|" * (len(_BAD) + 1),
    ]
    for run in chaos:
        bad = " | ".join(str(run[name]) for name in _BAD)
        first, last = run["seeds"]
        lines.append(
            f"| {run['commit']} | {first}–{last} | {run['minutes']} | {run['workers']} | {run['files']} | {bad} "
            f"| {run.get('settled', '')} |"
        )
    if not chaos:
        lines.append("| aún ninguna |" + " |" * (len(_BAD) + 5))
    harm = {word: sum(_harm(run["harms"], name) for run in chaos) for name, word in _HARM.items()}
    lines += ["", "Daño hecho en total: " + ", ".join(f"{many} {word}" for word, many in harm.items()) + ".", ""]
    return "\n".join([*lines, *_takeovers(runs), *_defects(runs)]) + "\n"


def _harm(harms: Mapping[str, int], name: str) -> int:
    return sum(many for what, many in harms.items() if what.split()[0] == name)


def _takeovers(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    measured = [run for run in runs if run["kind"] == "takeover"]
    if not measured:
        return []
    rows = [
        f"| {run['commit']} | {run['lease']:g} | {len(run['seconds'])} | {min(run['seconds']):.1f} "
        f"| {max(run['seconds']):.1f} | {run['well']} |".replace("True", "sí").replace("False", "no")
        for run in measured
    ]
    return [
        "## Relevo de un trabajador muerto",
        "",
        "Segundos desde que se mata en otra máquina al trabajador que tiene un archivo en la mano hasta que otro lo toma",
        "(`python -m chaos --takeover 5`). La meta es 30.",
        "",
        "| Versión | Arriendo (s) | Veces | Mínimo | Máximo | Aplicado una vez |",
        "|---|---:|---:|---:|---:|---|",
        *rows,
        "",
    ]


def _defects(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    found = [run for run in runs if run["kind"] == "defects"]
    if not found:
        return []
    run = found[-1]
    rows = [
        f"| `{name}` | {one['told']} | {'sí' if one['found'] else 'NO'} | {'sí' if one['quiet'] else 'NO'} | {one['seconds']} |"
        for name, one in run["by"].items()
    ]
    many = sum(one["found"] for one in run["by"].values())
    return [
        "## ¿Encontraría una falla?",
        "",
        f"Defectos sembrados a propósito, uno a la vez ({run['commit']}): {many} de {len(run['by'])} encontrados por su síntoma.",
        "Cada uno tiene una ronda corta cuyo daño cae en la ventana en que el defecto se nota (`make chaos DEFECTS=1`); la",
        "misma ronda sin el defecto debe salir limpia.",
        "",
        "| Defecto | Lo que dijo el revisor | Encontrado | Sin él, limpia | Segundos |",
        "|---|---|---|---|---:|",
        *rows,
        "",
    ]
