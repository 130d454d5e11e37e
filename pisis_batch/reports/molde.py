"""A workbook's mould: made once by the library with styles, titles and print set-up, then filled with rows as text.

Most of the time of a small workbook goes into what is the same in all of them. Nothing in the cells can be run: text
goes among the shared strings, whatever it looks like.
"""

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from math import ceil
from operator import truediv
from typing import NamedTuple
from xml.sax.saxutils import escape

#: Name and columns (title, width) of each sheet.
Shape = tuple[tuple[str, tuple[tuple[str, int], ...]], ...]
_AS_TEXT = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
_STYLES = {
    "text": {"text_wrap": True, "valign": "top", "num_format": "@"},
    "figure": {"valign": "top", "align": "center", "num_format": "0"},
    "wrong": {"valign": "top", "text_wrap": True, "num_format": "@", "bg_color": "#FCECEA", "font_color": "#8C1D18"},
}
_LINE, _DEEPEST = 15, 8  # height of a line of text in points; more lines than this are read in the cell
_LONGEST = 32_000  # Excel holds 32,767 characters in a cell
#: Characters that XML cannot hold or nobody can see.
_DRAWN = {n: "␀⇥"[n == 9] if n in {0, 9} else "⍰" for n in (*range(32), *range(0x7F, 0xA0), 0xAD)}  # noqa: PLR2004 tab
_LOOKS_ESCAPED = re.compile("_(?=x[0-9A-Fa-f]{4}_)")  # what Excel would read as a character
_EPOCH = datetime(2000, 1, 1)  # noqa: DTZ001 stands where the moment of a workbook will
_TITLE = "@@@@"
_NUMBER = "#"
_STRINGS, _BOOK, _CORE = "xl/sharedStrings.xml", "xl/workbook.xml", "docProps/core.xml"
_LEVEL = 2  # a tenth larger than at 4, in half the time
#: Of an archive: what its two headers of a part have in common, the rest of the second, and its end.
_COMMON, _LISTED, _END = struct.Struct("<HHHHHLLLHH"), struct.Struct("<HHHLL"), struct.Struct("<HHHHLLH")
_LOCAL = 4 + _COMMON.size  # bytes before a part's name
_DAY_ONE, _READABLE = 0x21, 0o600 << 16  # 1980-01-01, and rights as the library gives them


@dataclass(frozen=True, slots=True)
class Mould:
    """The parts of an empty workbook by name, the forms of its rows, the columns of its sheets with their names."""

    parts: dict[str, str]
    form: "_Former"
    widths: tuple[tuple[int, ...], ...]
    letters: tuple[str, ...]
    strings: int


@lru_cache(maxsize=64)
def mould(shape: Shape) -> Mould:
    """The mould of a shape."""
    from xlsxwriter import Workbook  # noqa: PLC0415 a third of a second that a command line should not wait for
    from xlsxwriter.utility import xl_col_to_name  # noqa: PLC0415 as above

    packed = io.BytesIO()
    book = Workbook(packed, {"in_memory": True, **_AS_TEXT})
    book.set_properties({"title": _TITLE, "created": _EPOCH})
    head = book.add_format({"bold": True, "bg_color": "#17456E", "font_color": "#FFFFFF"})
    styles = {name: book.add_format(said) for name, said in _STYLES.items()}
    for name, columns in shape:
        sheet = book.add_worksheet(name)
        for place, (title, width) in enumerate(columns):
            sheet.set_column(place, place, width)
            sheet.write_string(0, place, title, head)
        for place, style in enumerate(styles.values()):  # what is used gets its number; the row goes
            sheet.write_blank(1, place, None, style)
        sheet.freeze_panes(1, 0)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)
        sheet.autofilter(0, 0, 0, len(columns) - 1)
        sheet.ignore_errors({"number_stored_as_text": "A1:XFD1"})  # no green corners
    book.close()
    with zipfile.ZipFile(packed) as bundle:
        parts = {name: bundle.read(name).decode("utf-8") for name in bundle.namelist()}
    used = re.findall(r'<c r="[A-Z]+2" s="(\d+)"/>', parts[_sheet(0)])
    letters = tuple(map(xl_col_to_name, range(max(len(columns) for _, columns in shape))))
    return Mould(
        parts={name: re.sub(r'<row r="2".*?</row>', "", text) for name, text in parts.items()},
        form=_former(letters, **dict(zip(styles, used, strict=True))),
        widths=tuple(tuple(width for _, width in columns) for _, columns in shape),
        letters=letters,
        strings=parts[_STRINGS].count("<si>"),
    )


def _sheet(place: int) -> str:
    return f"xl/worksheets/sheet{place + 1}.xml"


def _escaped(text: str) -> str:
    return escape(_LOOKS_ESCAPED.sub("_x005F_", text) if "_x" in text else text)


#: The cells of a row by their types, which of them hold anything, and which are marked -> what the row looks like.
_Former = Callable[[tuple[type, ...], tuple[bool, ...], frozenset[int]], str]


def _former(letters: tuple[str, ...], text: str, figure: str, wrong: str) -> _Former:
    """What makes the forms of rows, with a sign where the row's number goes and another for what each cell holds."""

    @lru_cache(maxsize=4096)
    def form(types: tuple[type, ...], full: tuple[bool, ...], marked: frozenset[int]) -> str:
        told = []
        for place, letter in enumerate(letters[: len(types)]):
            if full[place] and types[place] is int:
                told.append(f'<c r="{letter}{_NUMBER}" s="{figure}"><v>%s</v></c>')
            elif full[place]:
                told.append(f'<c r="{letter}{_NUMBER}" s="{wrong if place in marked else text}" t="s"><v>%s</v></c>')
        return "".join(told)

    return form


class _Strings(dict["str | int", str]):
    """What a cell holds -> what is written in it: a figure itself, of a text its place among the shared ones."""

    def __init__(self, known: int) -> None:
        super().__init__()
        self._known = known
        self.shown: list[str] = []

    def __missing__(self, held: str | int) -> str:
        if isinstance(held, int):
            return str(held)
        self[held] = place = str(len(self) + self._known)
        plain = held.isprintable() and len(held) <= _LONGEST
        self.shown.append(held if plain else held.translate(_DRAWN)[:_LONGEST])
        return place


class Filling:
    """The rows of one workbook, sheet by sheet from the top down."""

    def __init__(self, shape: Shape) -> None:
        self._shape, self._mould = shape, mould(shape)
        self._rows: list[list[str]] = [[] for _ in shape]
        self._filtered = [1] * len(shape)
        self._strings = _Strings(self._mould.strings)

    def add(self, sheet: int, cells: Sequence[str | int | None], wrong: frozenset[int] = frozenset()) -> None:
        """A row: figures as figures, all else as text, those of `wrong` marked; nothing where there is nothing."""
        rows, mould = self._rows[sheet], self._mould
        number = str(len(rows) + 2)
        full: Iterable[str | int] = filter(None, cells)
        form = mould.form(tuple(map(type, cells)), tuple(map(bool, cells)), wrong)
        told = form.replace(_NUMBER, number) % tuple(map(self._strings.__getitem__, full))
        # lines of the deepest cell, rounded up: a row in a loop of the interpreter's own
        deep = ceil(max(map(truediv, map(len, map(str, cells)), mould.widths[sheet]), default=1))
        height = f' ht="{_LINE * min(deep, _DEEPEST)}" customHeight="1"' if deep > 1 else ""
        rows.append(f'<row r="{number}"{height}>{told}</row>')

    def close(self, sheet: int) -> None:
        """Filters reach over the rows so far."""
        self._filtered[sheet] = len(self._rows[sheet]) + 1

    def packed(self, title: str, at: datetime) -> bytes:
        """The workbook. The same rows at the same moment make the same bytes."""
        parts = dict(_unchanging(self._shape))
        for place, rows in enumerate(self._rows):
            before, after = _around(self._shape, place, len(rows) + 1, self._filtered[place])
            whole = "".join((before, *rows, after))
            parts[_sheet(place)] = _deflated(whole) if rows else _known(whole)
        parts[_BOOK] = _filtered(self._shape, tuple(self._filtered))
        before, after = _string_list(self._shape)
        parts[_STRINGS] = _deflated(before + _listed(self._strings.shown) + after)
        core = self._mould.parts[_CORE].replace(_TITLE, escape(title))
        parts[_CORE] = _deflated(core.replace(f"{_EPOCH.isoformat()}Z", f"{at.isoformat(timespec='seconds')}Z"))
        return _zipped(parts.items())


_BETWEEN = '</t></si><si><t xml:space="preserve">'


def _listed(strings: Iterable[str]) -> str:
    """Texts as members of the list of shared strings: none holds a zero byte, so that all are escaped in one go."""
    told = "\0".join(strings)
    said = _escaped(told).replace("\0", _BETWEEN)
    return f'<si><t xml:space="preserve">{said}</t></si>' if told else ""


@lru_cache(maxsize=64)
def _unchanging(shape: Shape) -> dict[str, "_Part"]:
    """Every part of a workbook by name, in order, those that change as they are in an empty one."""
    return {name: _deflated(text) for name, text in mould(shape).parts.items()}


@lru_cache(maxsize=4096)
def _around(shape: Shape, place: int, last: int, filtered: int) -> tuple[str, str]:
    """What stands before and after the rows of a sheet of so many lines, of which so many are filtered."""
    known = mould(shape)
    wide = known.letters[len(known.widths[place]) - 1]
    text = known.parts[_sheet(place)]
    text = re.sub(r'<dimension ref="[^"]*"/>', f'<dimension ref="A1:{wide}{last}"/>', text)
    text = text.replace(f'<autoFilter ref="A1:{wide}1"', f'<autoFilter ref="A1:{wide}{filtered}"')
    before, end, after = text.replace('"A1:XFD1"', f'"A1:XFD{filtered}"').partition("</sheetData>")
    return before, end + after


@lru_cache(maxsize=1024)
def _filtered(shape: Shape, filtered: tuple[int, ...]) -> "_Part":
    """The part that says how far the filters of each sheet reach."""
    known = mould(shape)
    book = known.parts[_BOOK]
    for place, last in enumerate(filtered):
        wide = known.letters[len(known.widths[place]) - 1]
        reach = rf'(_FilterDatabase" localSheetId="{place}"[^>]*>[^<]*\$A\$1:\${wide}\$)1<'
        book = re.sub(reach, rf"\g<1>{last}<", book)
    return _deflated(book)


@lru_cache(maxsize=64)
def _string_list(shape: Shape) -> tuple[str, str]:
    """What stands before and after the shared strings of a workbook."""
    counted = re.sub(r' (count|uniqueCount)="\d+"', "", mould(shape).parts[_STRINGS], count=2)  # no longer so many
    before, end, after = counted.partition("</sst>")
    return before, end + after


class _Part(NamedTuple):
    """A part as it stands in the archive: checksum, bytes before and after they were packed."""

    checksum: int
    size: int
    packed: bytes


def _deflated(text: str) -> _Part:
    content = text.encode("utf-8")
    packing = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    return _Part(zlib.crc32(content), len(content), packing.compress(content) + packing.flush())


#: What is the same in many workbooks, and says nothing of any file, is packed once.
_known = lru_cache(maxsize=1024)(_deflated)


def _zipped(parts: Iterable[tuple[str, _Part]]) -> bytes:
    """An archive of packed parts (APPNOTE 4.3); the library can only pack them itself, each time anew."""
    local, listed, many, at = [], [], 0, 0
    for name, part in parts:
        called = name.encode("ascii")
        said = _COMMON.pack(20, 0, 8, 0, _DAY_ONE, part.checksum, len(part.packed), part.size, len(called), 0)
        local += [b"PK\x03\x04", said, called, part.packed]
        listed += [b"PK\x01\x02\x14\x03", said, _LISTED.pack(0, 0, 0, _READABLE, at), called]
        at += _LOCAL + len(called) + len(part.packed)
        many += 1
    directory = b"".join(listed)
    return b"".join([*local, directory, b"PK\x05\x06", _END.pack(0, 0, many, many, len(directory), at, 0)])
