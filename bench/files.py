"""Large files for the bench: SEG500USIN with users and half as many profiles, cp1252, CRLF, half the names with Ñ.

python bench/files.py USERS FILE [--dirty SHARE] [--seed N]
"""

import argparse
from pathlib import Path

import numpy as np
import polars as pl

_FIRST = ("ANA", "LUISA", "PEDRO", "JUAN", "MARIA", "ROSA", "EVA", "LUZ", "BEGOÑA", "ÑUSTA")
_LAST = ("PEÑA", "MUÑOZ", "GOMEZ", "DIAZ", "RUIZ", "CASTAÑO", "PEREZ", "IBAÑEZ")
_JOBS = ("MEDICO GENERAL", "ENFERMERA", "AUXILIAR DE ENFERMERIA", "ODONTOLOGA (URGENCIAS)", "CONDUCTOR")
_PROFILES = (("186", "1274"), ("186", "1300"), ("001", "1212"))
NAME = "SEG500USIN20260715NI000900123456.TXT"
_CONTROL = (
    "1|NI|900123456|2026-07-15|{total}|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000002|ANA|GOMEZ"
    "|CONTACTO@ESE.GOV.CO"
)
#: Field of a user's line and what spoils it.
_FAULTS = (
    (4, ""),
    (5, "Perez"),
    (4, "JOSÉ"),
    (7, "31500"),
    (8, ""),
    (11, "SIN ARROBA"),
    (3, "10.900"),
    (2, "TI"),
    (6, "X"),
)
_STEP = 500_000


def _chosen(values: tuple[str, ...], many: int, chance: np.random.Generator) -> pl.Series:
    return pl.Series(values).gather(chance.integers(0, len(values), many))


def people(users: int, start: int, many: int, seed: int) -> pl.DataFrame:
    """Persons by their place among the users of a file: type, number, names."""
    chance = np.random.default_rng((seed, start, 1))
    names = {"primer_nombre": _chosen(_FIRST, many, chance), "primer_apellido": _chosen(_LAST, many, chance)}
    return numbered(pl.int_range(start, start + many, eager=True), users, seed).with_columns(**names)


def numbered(place: pl.Series, users: int, seed: int) -> pl.DataFrame:
    """The identification of the users at some places: each once, in no order, when 7919 does not divide `users`."""
    number = (place * 7_919 + seed) % max(users, 1) + 1_000_000_000
    return pl.DataFrame({"num_id": number.cast(pl.String)}).select(tipo_id=pl.lit("CC"), num_id="num_id")


def _users(users: int, start: int, many: int, seed: int) -> pl.DataFrame:
    chance = np.random.default_rng((seed, start, 2))
    fixed = pl.Series(chance.random(many) < 0.5)  # half have an end
    day = pl.Series(chance.integers(1, 29, many)).cast(pl.String).str.zfill(2)
    place = pl.int_range(start, start + many, eager=True)
    leaving = place % 10 == 9  # one in ten is unlinked
    filled = ~leaving
    number = people(users, start, many, seed)
    rest = pl.DataFrame({"leaving": leaving, "fixed": fixed, "filled": filled, "day": day, "place": place})
    empty = pl.lit("")
    return pl.concat([number, rest], how="horizontal").select(
        pl.lit("2"),
        (pl.col("place") + 1).cast(pl.String).alias("n"),
        "tipo_id",
        "num_id",
        "primer_nombre",
        "primer_apellido",
        pl.when("leaving").then(pl.lit("O")).otherwise(pl.lit("V")).alias("accion"),
        pl.when("filled").then(pl.lit("315") + (pl.col("place") % 10_000_000).cast(pl.String).str.zfill(7))
        .otherwise(empty).alias("telefono"),
        pl.when("filled").then(_chosen(_JOBS, many, chance)).otherwise(empty).alias("cargo"),
        pl.when("filled").then(pl.when("fixed").then(pl.lit("0")).otherwise(pl.lit("1"))).otherwise(empty).alias("c"),
        pl.when(pl.col("filled") & pl.col("fixed")).then(pl.lit("2030-05-") + pl.col("day"))
        .otherwise(empty).alias("f"),
        pl.when("filled").then(pl.lit("USUARIO") + pl.col("place").cast(pl.String) + "@HOSPITAL.GOV.CO")
        .otherwise(empty).alias("correo"),
    )  # fmt: skip


def _profiles(users: int, start: int, many: int, seed: int) -> pl.DataFrame:
    """Each is for another user who is linked."""
    chance = np.random.default_rng((seed, start, 3))
    chosen = chance.integers(0, len(_PROFILES), many)
    place = pl.int_range(start, start + many, eager=True)
    number = numbered((place // 9) * 10 + place % 9, users, seed)
    return number.select(
        pl.lit("3"),
        (place + users + 1).cast(pl.String).alias("n"),
        "tipo_id",
        "num_id",
        pl.Series([a for a, _ in _PROFILES]).gather(chosen).alias("app"),
        pl.lit("A").alias("accion"),
        pl.Series([p for _, p in _PROFILES]).gather(chosen).alias("perfil"),
    )


def _spoilt(frame: pl.DataFrame, share: float, seed: int, start: int) -> pl.DataFrame:
    chance = np.random.default_rng((seed, start, 4))
    wrong = pl.Series(chance.random(frame.height) < share)
    kind = pl.Series(chance.integers(0, len(_FAULTS), frame.height))
    names = frame.columns
    for place, (field, value) in enumerate(_FAULTS):
        if field < len(names):
            frame = frame.with_columns(
                pl.when(wrong & (kind == place)).then(pl.lit(value)).otherwise(pl.col(names[field])).alias(names[field])
            )
    return frame


def write(users: int, path: Path, *, dirty: float = 0.0, seed: int = 1) -> None:
    """A file of so many users, half as many profiles, and so large a share of lines with a fault."""
    profiles = users // 2
    with path.open("wb") as file:
        file.write(_CONTROL.format(total=users + profiles).encode("cp1252") + b"\r\n")
        for make, many in ((_users, users), (_profiles, profiles)):
            for start in range(0, many, _STEP):
                frame = make(users, start, min(_STEP, many - start), seed)
                frame = _spoilt(frame, dirty, seed, start) if dirty else frame
                text = frame.write_csv(include_header=False, separator="|", quote_style="never", line_terminator="\r\n")
                file.write(text.encode("cp1252"))


if __name__ == "__main__":
    said = argparse.ArgumentParser()
    said.add_argument("users", type=int)
    said.add_argument("path", type=Path)
    said.add_argument("--dirty", type=float, default=0.0)
    said.add_argument("--seed", type=int, default=1)
    given = said.parse_args()
    write(given.users, given.path, dirty=given.dirty, seed=given.seed)
