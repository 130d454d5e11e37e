"""The measured tables of docs/capacidad.md and its plot, written from bench/scale.json: `python bench/capacity.py`."""

import json
import re
import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import deadline

HOME = Path(__file__).parents[1]
MEASURED, PAGE, PLOT = HOME / "bench/scale.json", HOME / "docs/capacidad.md", HOME / "docs/capacidad-cierre.svg"
#: Transactions of a file that add to the audit: its reception and its verdict.
_AUDITED = 2


def table(told: Mapping[str, Any]) -> str:
    """What was measured, and what it says about the limit."""
    sqlite, inline = told["inline_sqlite"], told["inline_postgresql"]
    many = [told[f"workers_{hands}"] for hands in (1, 2, 4)]
    queue, beside = told["queue"], told["beside"]
    large = f"{beside['large_lines']:,}".replace(",", ".")
    ended = "terminó" if beside["large_ended"] else "seguía en curso"
    rows = [
        ("un proceso, SQLite: p50 / p95 por archivo", _each(map(_ms, (sqlite["p50_ms"], sqlite["p95_ms"])))),
        ("un proceso, PostgreSQL: p50 / p95 por archivo", _each(map(_ms, (inline["p50_ms"], inline["p95_ms"])))),
        ("archivos por segundo: un proceso con SQLite / con PostgreSQL",
         _each(_comma(one["files_per_second"]) for one in (sqlite, inline))),
        ("archivos por segundo: trabajador con 1 / 2 / 4 a la vez", _each(_comma(one["files_per_second"]) for one in many)),
        ("lo mismo, contra un proceso con PostgreSQL",
         _each(_comma(one["files_per_second"] / inline["files_per_second"], 2) for one in many)),
        ("archivos por segundo que recibe un vigilante, con el trabajador ocupado",
         _each(_comma(1000 / one["take_in_ms"]) for one in many)),
        ("procesador por archivo: trabajador con 1 / 2 / 4 a la vez", _each(_ms(one["worker_cpu_ms"]) for one in many)),
        ("procesador por archivo: PostgreSQL", _each(_ms(one["server_cpu_ms"]) for one in many)),
        ("transacciones por archivo, con las de solo leer / veces que se espera al disco",
         f"{_comma(many[0]['commits_per_file'], 0)} / {_comma(many[0]['syncs_per_file'])}"),
        ("transacciones por segundo que acepta la base: 1 / 2 / 4 conexiones", _rates(told["commits_per_second"])),
        ("lo mismo, cada una con su eslabón de auditoría", _rates(told["audited_per_second"])),
        ("poner el trabajo en la transacción del recibo", _ms(queue["put_ms"])),
        ("tomar y terminar un trabajo vacío", _ms(queue["fetch_and_end_ms"])),
        ("archivo pequeño, de recibido a veredicto, solo: p50 / p95",
         _each(map(_ms, (beside["alone_p50_ms"], beside["alone_p95_ms"])))),
        (f"lo mismo junto a uno de {large} líneas",
         _each(map(_ms, (beside["beside_p50_ms"], beside["beside_p95_ms"])))),
    ]  # fmt: skip
    return "\n".join(
        [
            f"Una sola corrida de `make bench-scale`: {told['files']} archivos de {told['lines']} líneas, PostgreSQL 18 en la",
            f"misma máquina, {told['cores']} núcleos, carga al empezar {_comma(told['load'])}. Junto al archivo de {large} líneas pasaron",
            f"{beside['beside_files']} pequeños en {_comma(beside['large_seconds'], 0)} s, y entonces el grande {ended}.",
            "",
            "| Qué | Medido |",
            "|---|---|",
            *(f"| {what} | {said} |" for what, said in rows),
            "",
            *_limit(told, many),
        ]
    )


def _limit(told: Mapping[str, Any], many: list[Mapping[str, float]]) -> list[str]:
    """What each part of one machine, and of the one database, is enough for."""
    cores, most = told["cores"], many[-1]
    cpu = (most["worker_cpu_ms"] + most["server_cpu_ms"]) / 1000
    limits = {
        "el procesador": cores / cpu,
        "el disco de la base": max(told["commits_per_second"].values()) / many[0]["syncs_per_file"],
        "la auditoría": max(told["audited_per_second"].values()) / _AUDITED,
    }
    busy = most["files_per_second"] * cpu / cores
    first = min(limits, key=lambda name: limits[name])
    return [
        f"Dónde está el límite (calculado de lo medido): el procesador de esta máquina da para {limits['el procesador']:.0f} archivos por",
        f"segundo ({busy:.0%} ocupado con cuatro a la vez, y PostgreSQL y quien recibe usan los mismos {cores} núcleos); el disco de la",
        f"base, para {limits['el disco de la base']:.0f} entre todas las máquinas; la cadena de auditoría, donde cada transacción espera a la",
        f"anterior, para {limits['la auditoría']:.0f}. En esta máquina manda {first}.",
    ]  # fmt: skip


def simulated(told: Mapping[str, Any], entities: int = deadline.ENTITIES) -> tuple[str, bytes]:
    """The table of deadline day and its plot, computed from what was measured."""
    service = deadline.service_of(told)
    rows = [deadline.told(machines, service, 1, entities) for machines in (2, 4, 8)]
    hour = deadline.fullest(1, entities)
    share = hour * _AUDITED / 3600 / max(told["audited_per_second"].values())
    machines = rows[0]["busiest_hour"] * rows[0]["machines"] / 0.7
    lines = [
        f"Cada máquina es como la medida ({told['cores']} núcleos, cuatro archivos a la vez, {_comma(told['workers_4']['files_per_second'])} archivos por segundo): segundos por",
        f"archivo sorteados de los medidos uno a uno con PostgreSQL, alargados para que cuatro a la vez den ese ritmo (media {_comma(statistics.mean(service), 2)} s).",
        "",
        "| Máquinas | p50 | p95 | p99 | la más larga | ocupación en la hora más llena |",
        "|---|---|---|---|---|---|",
        *(
            f"| {row['machines']} | {_s(row['p50'])} | {_s(row['p95'])} | {_s(row['p99'])} | {_s(row['longest'])} | {row['busiest_hour']:.0%} |".replace("%", " %")
            for row in rows
        ),
        "",
        f"En la hora más llena llegan {hour:,.0f}".replace(",", ".") + f" archivos: según la fórmula, {_comma(machines)} máquinas; la cadena de auditoría queda ocupada al {share:.0%}.".replace("%", " %"),
    ]  # fmt: skip
    return "\n".join(lines), deadline.plot(rows)


def _each(said: Any) -> str:
    return " / ".join(said)


def _rates(rates: Mapping[str, float]) -> str:
    return _each(str(rate) for rate in rates.values())


def _comma(number: float, places: int = 1) -> str:
    return f"{number:.{places}f}".replace(".", ",")


def _ms(milliseconds: float) -> str:
    if milliseconds >= 1000:
        return f"{_comma(milliseconds / 1000, 2)} s"
    return f"{_comma(milliseconds, 1 if milliseconds < 10 else 0)} ms"


def _s(seconds: float) -> str:
    return f"{_comma(seconds, 2 if seconds < 1 else 1)} s"


def page(text: str, told: Mapping[str, Any], deadline_day: str) -> str:
    """The page with both tables in their places."""
    for name, said in (("medido", table(told)), ("simulado", deadline_day)):
        between = re.compile(rf"(<!-- {name} -->\n).*?(<!-- fin de lo {name} -->)", re.DOTALL)
        text = between.sub(lambda found, said=said: f"{found[1]}{said}\n{found[2]}", text)  # type: ignore[misc]
    return text


def main() -> None:
    """Write the page and the plot."""
    told = json.loads(MEASURED.read_text("utf-8"))
    said, drawn = simulated(told)
    PAGE.write_text(page(PAGE.read_text("utf-8"), told, said), "utf-8")
    PLOT.write_bytes(drawn)


if __name__ == "__main__":
    main()
