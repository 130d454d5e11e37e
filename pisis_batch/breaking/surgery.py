"""Breakers of the file as a whole, for any annex: its bytes, its lines, its order, its figures, its name."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise

from pisis_batch.breaking.draft import Breaking, Draft, line
from pisis_batch.layouts import Record
from pisis_batch.model import Limits

#: A code's breaker: the ways to break a good file, the likeliest first.
Surgeon = Callable[[Draft, Limits], Iterator[Breaking]]
SURGEONS: dict[str, Surgeon] = {}


def _breaks(code: str) -> Callable[[Surgeon], Surgeon]:
    def keep(surgeon: Surgeon) -> Surgeon:
        SURGEONS[code] = surgeon
        return surgeon

    return keep


def _with(made: Draft, code: str, content: bytes | None = None, name: str | None = None) -> Breaking:
    whole = made.done(code)
    return replace(whole, content=whole.content if content is None else content, name=name or whole.name)


def _content(code: str, change: Callable[[bytes], bytes]) -> None:
    def surgeon(made: Draft, limits: Limits) -> Iterator[Breaking]:
        yield _with(made, code, change(made.written()[1]))

    SURGEONS[code] = surgeon


_content("EST001", lambda _: b"")
_content("EST003", lambda good: b"PK\x03\x04" + good)
_content("EST004", lambda good: b"\xef\xbb\xbf" + good)
_content("EST005", lambda good: good + b"\r\n\r\n")
_content("EST006", lambda good: good + b"\x1a")


@_breaks("EST002")
def oversized(made: Draft, limits: Limits) -> Iterator[Breaking]:
    """As many spaces after the last line as the limit takes, and one more."""
    good = made.written()[1]
    yield _with(made, "EST002", good + b" " * (limits.file - len(good) + 1))


@_breaks("EST007")
def overlong(made: Draft, limits: Limits) -> Iterator[Breaking]:
    """A last line of a known kind that is longer than any record."""
    for record in list(made.layout.details)[::-1]:
        yield _with(
            made, "EST007", made.written()[1] + f"\r\n{record.mark}{made.layout.separator}{'X' * limits.line}".encode()
        )


@_breaks("EST008")
def unknown_mark(made: Draft, limits: Limits) -> Iterator[Breaking]:
    """A last line that begins like no record."""
    marks = {record.mark for record in made.layout.records}
    mark = next(str(n) for n in range(9, 99) if str(n) not in marks)
    yield _with(made, "EST008", made.written()[1] + f"\r\n{made.layout.separator.join((mark, '1', 'NOTA'))}".encode())


@_breaks("EST009")
def trailing_pipe(made: Draft, limits: Limits) -> Iterator[Breaking]:
    """A pipe after the last field of the last line."""
    yield _with(made, "EST009", made.written()[1] + made.layout.separator.encode())


@_breaks("EST030")
def ragged(made: Draft, limits: Limits) -> Iterator[Breaking]:
    """A last line without its last field."""
    good, sign = made.written()[1], made.layout.separator.encode()
    yield _with(made, "EST030", good[: good.rindex(sign)])
    head, tail = good.split(b"\r\n", 1)
    yield _with(made, "EST030", head[: head.rindex(sign)] + b"\r\n" + tail)


@_breaks("ARC001")
def no_control(made: Draft, limits: Limits) -> Iterator[Breaking]:
    """The file begins with its details."""
    yield _with(made, "ARC001", made.written()[1].split(b"\r\n", 1)[1])


@_breaks("ARC002")
def two_controls(made: Draft, limits: Limits) -> Iterator[Breaking]:
    """The control record again at the end."""
    good = made.written()[1]
    yield _with(made, "ARC002", good + b"\r\n" + good.split(b"\r\n", 1)[0])


@_breaks("ARC003")
def control_last(made: Draft, limits: Limits) -> Iterator[Breaking]:
    """The control record after everything else."""
    head, tail = made.written()[1].split(b"\r\n", 1)
    yield _with(made, "ARC003", tail + b"\r\n" + head)


@_breaks("ARC004")
def out_of_order(made: Draft, limits: Limits) -> Iterator[Breaking]:
    """The last record of one kind after the first of the next, numbered as they stand."""
    details = [record for record in made.layout.details if made.records[record.name]]
    for first, second in pairwise(details):
        rows = [(r, row) for r in details for row in made.records[r.name]]
        moved = next(pair for pair in reversed(rows) if pair[0] is first)
        rows.remove(moved)
        rows.insert(max(at for at, pair in enumerate(rows) if pair[0] is second) + 1, moved)
        _number(made, rows)
        lines = [line(made.layout, made.layout.control, made.control), *(line(made.layout, r, row) for r, row in rows)]
        yield _with(made, "ARC004", "\r\n".join(lines).encode(made.layout.encoding))


def _number(made: Draft, rows: list[tuple[Record, dict[str, str]]]) -> None:
    sequence = made.layout.sequence
    if sequence:
        numbered = [row for record, row in rows if record.name in sequence.over]
        for place, row in enumerate(numbered, start=1):
            row[sequence.field] = str(place)


@_breaks("ARC005")
def skipped(made: Draft, limits: Limits) -> Iterator[Breaking]:
    """The last record skips a number."""
    sequence = made.layout.sequence
    rows = [row for name in (sequence.over if sequence else ()) for row in made.records[name]]
    if sequence and rows:
        rows[-1][sequence.field] = str(int(rows[-1][sequence.field]) + 1)
        yield made.done("ARC005")


@_breaks("ARC006")
def miscounted(made: Draft, limits: Limits) -> Iterator[Breaking]:
    """The control announces one record more."""
    total = made.layout.total
    if total and total.field.split(".")[0] == made.layout.control.name:
        name = total.field.split(".")[1]
        made.control[name] = str(int(made.control[name]) + 1)
        yield made.done("ARC006")


@_breaks("ARC007")
def repeated(made: Draft, limits: Limits) -> Iterator[Breaking]:
    """The last record of a kind repeats the key of the one before."""
    for record in made.layout.details:
        rows = made.records[record.name]
        if record.unique and len(rows) > 1:
            kept = dict(rows[-1])
            rows[-1] |= {name: rows[-2][name] for name in record.unique}
            yield made.done("ARC007")
            rows[-1] |= kept


@_breaks("ARC008")
def missing(made: Draft, limits: Limits) -> Iterator[Breaking]:
    """No record of a kind that must occur."""
    for record in made.layout.details:
        if record.occurs in {"1", "1.."}:
            rows = made.records[record.name]
            made.records[record.name] = []
            made.renumbered()
            yield made.done("ARC008")
            made.records[record.name] = rows


@_breaks("ARC009")
def misnamed(made: Draft, limits: Limits) -> Iterator[Breaking]:
    """The name says another entity than the control record, or another date."""
    for name, value in ((made.layout.entity.number, "900654321"), (made.layout.cut_date, "2020-01-31")):
        if name in made.stated and name in made.control:
            yield _with(made, "ARC009", name=made.layout.file_name.write(made.stated | {name: value}))


@_breaks("NOM001")
def other_name(made: Draft, limits: Limits) -> Iterator[Breaking]:
    """A name of no annex."""
    yield _with(made, "NOM001", name="USUARIOS.TXT")


@_breaks("NOM002")
def long_name(made: Draft, limits: Limits) -> Iterator[Breaking]:
    """A name as a browser makes it of a second download."""
    stem, _, ending = made.written()[0].rpartition(".")
    yield _with(made, "NOM002", name=f"{stem} (1).{ending}")


@_breaks("NOM003")
def impossible_name(made: Draft, limits: Limits) -> Iterator[Breaking]:
    """A name with a month that does not exist."""
    good = made.written()[0]
    day = made.stated.get(made.layout.cut_date, "").replace("-", "")
    if day and day in good:
        yield _with(made, "NOM003", name=good.replace(day, day[:4] + "13" + day[6:]))


@_breaks("NOM004")
def other_part(made: Draft, limits: Limits) -> Iterator[Breaking]:
    """A name whose closed part says something else."""
    for part, told in made.layout.name_parts.items():
        width = next((piece.width for piece in made.layout.file_name.pieces if piece.field == part), 0)
        for value in ("X" * width, "9" * width):
            if told.values and value not in told.values:
                yield _with(made, "NOM004", name=made.layout.file_name.write(made.stated | {part: value}))


@_breaks("ARC010")
def too_often(made: Draft, limits: Limits) -> Iterator[Breaking]:
    """A record that occurs once does so twice."""
    for record in made.layout.details:
        rows = made.records[record.name]
        if record.occurs in {"1", "0..1"} and rows:
            rows.append(dict(rows[0]))
            made.renumbered()
            yield made.done("ARC010")
            rows.pop()
