"""The measured table of docs/capacidad.md, written from bench/scale.json: `python bench/capacity.py`."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HOME = Path(__file__).parents[1]
MEASURED, PAGE = HOME / "bench" / "scale.json", HOME / "docs" / "capacidad.md"
_BETWEEN = re.compile(r"(<!-- medido -->\n).*?(<!-- fin -->)", re.DOTALL)


def table(told: Mapping[str, Any]) -> str:
    """What was measured, and what it says about the limit."""
    sqlite, inline = told["inline_sqlite"], told["inline_postgresql"]
    many = {hands: told[f"workers_{hands}"] for hands in (1, 2, 4)}
    queue, beside, disk = told["queue"], told["beside"], told["commits_per_second"]
    rates = [f"{one['files_per_second']:.1f}" for one in many.values()]
    shares = [f"{one['files_per_second'] / inline['files_per_second']:.2f}" for one in many.values()]
    rows = [
        ("un proceso, SQLite: p50 / p95 por archivo", f"{_ms(sqlite['p50_ms'])} / {_ms(sqlite['p95_ms'])}"),
        ("un proceso, PostgreSQL: p50 / p95 por archivo", f"{_ms(inline['p50_ms'])} / {_ms(inline['p95_ms'])}"),
        ("archivos por segundo: un proceso con SQLite / con PostgreSQL",
         f"{sqlite['files_per_second']:.1f} / {inline['files_per_second']:.1f}"),
        ("archivos por segundo: trabajador con 1 / 2 / 4 a la vez", " / ".join(rates)),
        ("lo mismo, contra un proceso con PostgreSQL", " / ".join(shares)),
        ("procesador por archivo: trabajador con 1 / 2 / 4 a la vez", " / ".join(_ms(one["worker_cpu_ms"]) for one in many.values())),
        ("procesador por archivo: PostgreSQL", " / ".join(_ms(one["server_cpu_ms"]) for one in many.values())),
        ("transacciones por archivo", f"{many[4]['commits_per_file']:.0f}"),
        ("transacciones por segundo que acepta la base: 1 / 4 conexiones", f"{disk['1']} / {disk['4']}"),
        ("poner el trabajo en la transacción del recibo", _ms(queue["put_ms"])),
        ("tomar y terminar un trabajo vacío", _ms(queue["fetch_and_end_ms"])),
        ("archivo pequeño, de recibido a veredicto, solo: p50 / p95", f"{_ms(beside['alone_p50_ms'])} / {_ms(beside['alone_p95_ms'])}"),
        (f"lo mismo junto a uno de {beside['large_lines']:,} líneas".replace(",", "."),
         f"{_ms(beside['beside_p50_ms'])} / {_ms(beside['beside_p95_ms'])}"),
    ]  # fmt: skip
    lines = [
        f"Una sola corrida de `make bench-scale`: {told['files']} archivos de {told['lines']} líneas, PostgreSQL 18 en la",
        f"misma máquina, {told['cores']} núcleos, carga al empezar {told['load']}.",
        "",
        "| Qué | Medido |",
        "|---|---|",
        *(f"| {what} | {said} |" for what, said in rows),
        "",
        *_limit(told["cores"], many[4], max(disk.values())),
    ]
    return "\n".join(
        line.replace(".", ",") if line.startswith("| ") and "líneas |" not in line else line for line in lines
    )


def _limit(cores: int, most: Mapping[str, float], disk: float) -> list[str]:
    cpu = (most["worker_cpu_ms"] + most["server_cpu_ms"]) / 1000
    by_cpu, by_disk = cores / cpu, disk / most["commits_per_file"]
    busy = most["files_per_second"] * cpu / cores
    names = "el procesador" if by_cpu < by_disk else "las transacciones de la base"
    return [
        f"Dónde está el límite: el procesador da para {by_cpu:.0f} archivos por segundo ({busy:.0%} ocupado con cuatro a la vez);",
        f"las transacciones, para {by_disk:.0f}. Manda {names}.",
    ]  # fmt: skip


def _ms(milliseconds: float) -> str:
    return f"{milliseconds / 1000:.2f} s" if milliseconds >= 1000 else f"{milliseconds:.0f} ms"


def page(text: str, told: Mapping[str, Any]) -> str:
    """The page with the table in its place."""
    return _BETWEEN.sub(lambda found: f"{found[1]}{table(told)}\n{found[2]}", text)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text("utf-8"), json.loads(MEASURED.read_text("utf-8"))), "utf-8")
