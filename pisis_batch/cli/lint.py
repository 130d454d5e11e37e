"""What `pisis layouts lint` looks at, in every file named or in every layout known."""

from pathlib import Path

from pisis_batch.cli.shelves import known
from pisis_batch.layouts import Layout, LayoutError, parse
from pisis_batch.layouts.overlap import overlaps
from pisis_batch.layouts.style import gaps, unclear
from pisis_batch.validators import RULES, check_layout


def lint(files: tuple[Path, ...], workspace: Path | None) -> tuple[int, list[str]]:
    """How many layouts were looked at, and every problem as `file: path: sentence`. A mistake never hides another."""
    try:
        shelf = known(workspace)  # also makes the operator's tables known
    except LayoutError as error:
        if not files:
            return 0, [f"{error.source}: {problem}" for problem in error.problems]
        shelf = None
    if not files:
        every = list(shelf or ())
        return len(every), [*(p for layout in every for p in _problems(layout.annex, layout)), *overlaps(every)]
    found: list[str] = []
    read: list[Layout] = []
    for path in files:
        text = path.read_text("utf-8")
        found += [f"{path.name}: {gap}" for gap in gaps(text)]
        try:
            layout = parse(text, path.name)
        except LayoutError as error:
            found += [f"{error.source}: {problem}" for problem in error.problems]
            continue
        read.append(layout)
        found += _problems(path.name, layout)
    # a file that is on the shelf already is not held against itself
    others = [layout for layout in shelf or () if all(layout != one for one in read)]
    own = {f"{layout.annex} {layout.version}" for layout in read}
    found += [problem for problem in overlaps([*others, *read]) if problem.split(":")[0] in own]
    return len(files), found


def _problems(name: str, layout: Layout) -> list[str]:
    silent = [f"la regla {code} no dice qué hacer" for code in layout.rules if code in RULES and not RULES[code].remedy]
    return [f"{name}: {problem}" for problem in (*check_layout(layout), *unclear(layout), *silent)]
