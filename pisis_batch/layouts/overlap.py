"""What cannot be seen in one layout: versions of an annex that say they begin together, names that fit two annexes."""

from collections.abc import Iterator, Sequence

from pisis_batch.layouts.layout import Layout


def overlaps(layouts: Sequence[Layout]) -> list[str]:
    """Every pair of layouts between which a file cannot choose, as `annex version: sentence`."""
    return [problem for place, one in enumerate(layouts) for other in layouts[:place] for problem in _pair(other, one)]


def _pair(first: Layout, second: Layout) -> Iterator[str]:
    where = f"{second.annex} {second.version}"
    if first.annex == second.annex:
        if first.valid_from == second.valid_from:
            yield f"{where}: vale desde {second.valid_from}, igual que la versión {first.version}"
        if first.version == second.version:
            yield f"{where}: dos definiciones llevan la versión {second.version}"
        if first.file_name.prefix.upper() != second.file_name.prefix.upper():
            yield f"{where}: el nombre del archivo comienza distinto que en la versión {first.version}"
        return
    names = first.file_name.prefix.upper(), second.file_name.prefix.upper()
    if names[0].startswith(names[1]) or names[1].startswith(names[0]):
        yield f"{where}: un nombre que comienza por {max(names, key=len)} es también del anexo {first.annex}"
