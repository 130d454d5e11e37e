"""The lock of the codes: a line per code, for ever, so that none vanishes, is reused or changes its meaning unseen.

    EST021 0.1.0 - 5c1f0a9e Letras minúsculas        code, since, retired, hash of its meaning, title

What a code means is its title, its severity and its stage; its sentences may be reworded at any time.
"""

import hashlib
from collections.abc import Collection, Iterable

from pisis_batch.validators.rule import Rule

_NOTE = "# Una línea por código, para siempre: código, versión desde, versión de retiro, huella de su significado, título.\n"


def meaning(rule: Rule) -> str:
    """Eight hexadecimal digits that change with what a code means."""
    told = f"{rule.title}\n{rule.severity}\n{rule.stage}"
    return hashlib.sha256(told.encode()).hexdigest()[:8]


def renewed(text: str, rules: Iterable[Rule], reworded: Collection[str] = ()) -> tuple[str, list[str]]:
    """The lock with the codes that are new, and every reason why it may not be renewed (in Spanish).

    `reworded` are the codes whose change of title or severity is meant.
    """
    known = {
        line.split(" ", 1)[0]: line.split(" ", 4) for line in text.splitlines() if line and not line.startswith("#")
    }
    now = {rule.code: rule for rule in rules}
    problems = [
        f"{code}: el código desapareció; retírelo con «retired», no lo borre" for code in known if code not in now
    ]
    for code, (_, since, retired, mark, title) in known.items():
        rule = now.get(code)
        if rule is None:
            continue
        if rule.since != since:
            problems.append(
                f"{code}: existe desde la versión {since} y ahora dice {rule.since}; un código no se reutiliza"
            )
        if retired not in {"-", rule.retired}:
            problems.append(f"{code}: se retiró en la versión {retired} y no puede volver")
        if mark != meaning(rule) and code not in reworded:
            problems.append(f"{code}: significaba «{title}» ({mark}) y ahora es otra cosa; use un código nuevo")
    lines = [
        f"{r.code} {r.since} {r.retired or '-'} {meaning(r)} {r.title}"
        for r in sorted(now.values(), key=lambda r: r.code)
    ]
    return _NOTE + "\n".join(lines) + "\n", problems
