"""What was measured as a file of results, a plot and the table of docs/rendimiento.md."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from measures import HOME, Row

_BEGIN, _END = "<!-- medido -->", "<!-- fin de lo medido -->"


def plot(rows: Sequence[Row], path: Path) -> None:
    """How far each measure is from its goal."""
    import pygal  # noqa: PLC0415 only here

    chart = pygal.HorizontalBar(
        show_legend=False, width=900, height=60 + 34 * len(rows), x_title="parte de la meta (1 = la meta)", range=(0, 2)
    )
    chart.title = "Cada medida frente a su meta (hasta la línea 1, cumplida)"
    chart.x_labels = [f"{row.number}. {row.what}" for row in reversed(rows)]
    parts = [(row.goal / row.value if row.more else row.value / row.goal) for row in reversed(rows)]
    chart.add("", [{"value": round(min(part, 2), 3), "color": "#2e7d32" if part <= 1 else "#c62828"} for part in parts])
    path.write_text(chart.render(is_unicode=True, disable_xml_declaration=True) + "\n", "utf-8")


def page(rows: Sequence[Row], size: str) -> str:
    """The measured part of docs/rendimiento.md."""
    lines = [
        f"Medido con `make bench SIZE={size}`; razones entre procesos completos que se alternan en una misma corrida (mediana).",
        "",
        "| # | Medida | Meta | Hallado | Además | |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        sign = "≥" if row.more else "≤"
        other = row.wall if row.cpu is None else row.cpu
        second = f"{other:.2f} × {'reloj' if row.cpu is None else 'CPU'}" if other is not None else ""
        lines.append(
            f"| {row.number} | {row.what} | {sign} {row.goal:g} | {row.value:.2f} {row.unit} | {second} | {'✓' if row.reached else '✗'} |"
        )
    return "\n".join([*lines, "", "![Cada medida frente a su meta](rendimiento.svg)", ""])


def with_those_kept(rows: list[Row], results: Path) -> list[Row]:
    """Rows, and of those measured before the ones that they do not replace."""
    kept = [Row(**row) for row in json.loads(results.read_text("utf-8"))["rows"]]
    names = {row.what for row in rows}
    return sorted([*rows, *(row for row in kept if row.what not in names)], key=lambda row: (int(row.number), row.what))


def write(rows: list[Row], size: str, results: Path) -> None:
    """What is measured so far: the file of results, the plot and the page."""
    results.write_text(
        json.dumps({"size": size, "rows": [asdict(row) for row in rows]}, ensure_ascii=False, indent=1) + "\n",
        "utf-8",
    )
    plot(rows, HOME / "docs/rendimiento.svg")
    document = HOME / "docs/rendimiento.md"
    text = document.read_text("utf-8")
    head, rest = text.split(_BEGIN)
    document.write_text(f"{head}{_BEGIN}\n\n{page(rows, size)}\n{_END}{rest.split(_END)[1]}", "utf-8")
