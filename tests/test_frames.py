"""A field of a frame that was given as rows is the same to whoever looks at it either way."""

import json
from datetime import date

import polars as pl
import pytest

from pisis_batch.adapters import sql_rows
from pisis_batch.frames import Few, few, height, picked
from pisis_batch.model import GRANTS, PROFILES, Changes, Facts

_HELD = [("CC", "1090000001", "186", "1274"), ("CC", "1090000002", "186", "1274")]


def _given(as_rows: bool) -> Facts:  # noqa: FBT001 a parameter of a test
    rows = [("1274", "SI-APS", "186", "APLICACION", None, True), ("1275", "OTRO", "187", "", "IPS;EPS", False)]
    if as_rows:
        return Facts(today=date(2026, 7, 15), grants=_HELD, profiles=rows)  # type: ignore[arg-type]  # rows stand for frames
    grants, profiles = (
        pl.DataFrame(held, schema=columns.schema, orient="row") for held, columns in ((_HELD, GRANTS), (rows, PROFILES))
    )
    return Facts(today=date(2026, 7, 15), grants=grants, profiles=profiles)


@pytest.mark.parametrize("names", [GRANTS.names(), ["num_id"], ["perfil", "tipo_id"]])
def test_rows_and_their_frame_are_the_same(names: list[str]) -> None:
    rows, frames = _given(as_rows=True), _given(as_rows=False)
    assert picked(rows, "grants", names) == picked(frames, "grants", names)
    assert height(rows, "grants") == height(frames, "grants") == len(_HELD)
    assert rows.profiles.equals(frames.profiles)
    assert rows.profiles.schema == frames.profiles.schema == PROFILES.schema
    assert picked(rows, "profiles", PROFILES.names()) == picked(frames, "profiles", PROFILES.names())
    assert picked(rows, "persons", ["num_id"]) == picked(frames, "persons", ["num_id"]) == []


def test_no_rows_are_the_frame_without_any() -> None:
    none = Facts(today=date(2026, 7, 15), grants=[])  # type: ignore[arg-type]  # rows stand for frames
    assert height(none, "grants") == 0
    assert none.grants.schema == GRANTS.schema


def test_few_changes_are_handed_on_as_rows_and_more_as_frames() -> None:
    row = (2, *_HELD[0])
    some: tuple[Changes, ...] = tuple(Changes(assigned=[row] * many) for many in (0, 3, 1_000))  # type: ignore[arg-type]  # as above
    assert [list(one.ordered("assigned")) == [] for one in some] == [True, False, False]
    (held,) = some[1].ordered("assigned")
    assert isinstance(held, Few)
    assert (held.rename({"line": "from_line"}).columns, held["num_id"]) == (
        ["from_line", *GRANTS.names()],
        ["1090000001"] * 3,
    )
    (frame,) = some[2].ordered("assigned")
    assert isinstance(frame, pl.DataFrame)
    assert frame.schema["line"] == pl.UInt32


@pytest.mark.parametrize("name", ["PÉREZ \\u0000 «»", "A\x00B", ""])
def test_rows_are_told_to_the_server_as_their_frame_is(name: str) -> None:
    rows = [("CC", "1090000001", name, "X")]
    held = few(Facts(today=date(2026, 7, 15), persons=rows), "persons")  # type: ignore[arg-type]  # as above
    frame = Facts(today=date(2026, 7, 15), persons=rows).persons  # type: ignore[arg-type]  # as above
    assert isinstance(held, Few)
    assert json.loads(sql_rows.told(held)) == json.loads(sql_rows.told(frame))
