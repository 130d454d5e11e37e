"""Codes: the value of a list or table that was probably meant, and the document type that a number looks like."""

import re

import polars as pl
from rapidfuzz import fuzz, process

from pisis_batch.suggestions.asked import GUESS, WRITE, Asked, Suggester, answer, listed
from pisis_batch.validators import identidad
from pisis_batch.validators.escritura import fold

_ALIKE = 80  # of 100: how alike two texts must be
_YES, _NO = {"SI", "S", "X", "TRUE", "VERDADERO", "YES", "Y"}, {"NO", "N", "FALSE", "FALSO"}


def coded(rows: pl.DataFrame, asked: Asked) -> pl.DataFrame:
    """The code whose meaning was written out, shortened, padded or misspelt."""
    found = []
    for (record, field), part in rows.group_by("record", "field", maintain_order=True):
        known = asked.field(str(record), str(field))
        codes = asked.codes(known) if known else {}
        for n, value in part.select("n", "value").iter_rows():
            if meant := _code(value, codes):
                found.append((n, meant, GUESS if codes[meant] == "" else f"{GUESS[:-1]} ({codes[meant]})?"))
    return listed(found)


def _code(text: str, codes: dict[str, str]) -> str | None:
    """The one code a text may stand for."""
    bare = re.sub("[^A-Z0-9Ñ ]", "", fold(text)).strip()
    flat = bare.replace(" ", "")
    spelt = {fold(code): code for code in codes}
    meanings = {re.sub("[^A-Z0-9Ñ ]", "", fold(meaning)): code for code, meaning in codes.items() if meaning}
    for one in (flat, flat.lstrip("0") or "0", flat.zfill(max(map(len, codes), default=0))):
        if one in spelt:
            return spelt[one]
    if bare in meanings:
        return meanings[bare]
    for words in (_YES, _NO):
        told = [code for meaning, code in meanings.items() if meaning in words]
        if flat in words and len(told) == 1:
            return told[0]
    starting = {code for meaning, code in meanings.items() if bare and meaning.startswith(bare)}
    if len(starting) == 1:
        return starting.pop()
    if len(bare) > 3:  # noqa: PLR2004 shorter words are like anything
        near = process.extract(bare, list(meanings), scorer=fuzz.WRatio, score_cutoff=_ALIKE, limit=2)
        if near and (len(near) == 1 or near[0][1] > near[1][1]):
            return meanings[near[0][0]]
    return None


_LOOKS = {
    "CC": "cédula de ciudadanía",
    "CE": "cédula de extranjería",
    "PT": "permiso por protección temporal",
    "PA": "pasaporte",
    "CD": "carné diplomático",
}


def typed(rows: pl.DataFrame, asked: Asked) -> pl.DataFrame:
    """The number without the zeros, signs or check digit that make it unlike its type; else the type it looks like."""
    bare = pl.col("value").str.replace("^0+", "")
    kind = pl.coalesce(
        *(pl.col("details").str.json_path_match(f"$.{name}") for name in ("tipo_id", "tipo", "tipo_id_entidad")),
        pl.lit(""),
    )
    whole = rows.with_columns(kind=kind, bare=bare)
    unpadded = whole.filter((pl.col("bare") != pl.col("value")) & identidad.fits(pl.col("kind"), pl.col("bare")))
    rest = whole.join(unpadded, on="n", how="anti")
    found = []
    for n, value, said in rest.select("n", "value", "kind").iter_rows():
        # a passport takes nearly anything: digits alone are no sign of one
        likely = ("CC", "CE", "PT") if value.isdigit() else ("PA", "CD")
        fitting = [k for k in likely if k != said and re.match(identidad.SHAPES[k][0], value)]
        if said in _LOOKS and fitting and not (said == "PA" and value.isdigit()):
            words = " o ".join(f"{k} ({_LOOKS[k]})" for k in fitting[:2])
            found.append(
                (n, fitting[0], f"Por su forma, el número parece de tipo {words}: revise el tipo de identificación")
            )
    return pl.concat([answer(unpadded, pl.col("bare")), listed(found)])


def application(rows: pl.DataFrame, asked: Asked) -> pl.DataFrame:
    """The application of the table that is written nearly so."""
    if asked.facts is None:
        return listed([])
    known = dict(
        asked.facts.profiles.select("cod_aplicacion", "nombre_aplicacion").unique().sort("cod_aplicacion").rows()
    )
    return _nearest(rows, known)


def _nearest(rows: pl.DataFrame, known: dict[str, str]) -> pl.DataFrame:
    found = []
    for n, value in rows.select("n", "value").iter_rows():
        padded = [code for code in known if code.lstrip("0") == value.lstrip("0")]
        near = padded or [
            code for code, *_ in process.extract(value, list(known), scorer=fuzz.ratio, score_cutoff=60, limit=1)
        ]
        if near and near[0] != value:
            meaning = f" ({known[near[0]]})" if known[near[0]] else ""
            found.append((n, near[0], f"{GUESS[:-1]}{meaning}?"))
    return listed(found)


def profile(rows: pl.DataFrame, asked: Asked) -> pl.DataFrame:
    """The profile of the same application that is nearest, or the only one that may be assigned."""
    if asked.facts is None or asked.batch is None:
        return listed([])
    kind = asked.facts.entity.tipo_entidad.upper() if asked.facts.entity else ""
    open_ = asked.facts.profiles.filter(pl.col("habilitado"))
    parts = []
    lines = asked.batch["perfil"].select("line", "aplicacion")
    for (code,), part in rows.join(lines, on="line", how="left").group_by("aplicacion", maintain_order=True):
        allowed = [
            (row["codigo"], row["nombre"])
            for row in open_.filter(pl.col("cod_aplicacion") == code).sort("codigo").iter_rows(named=True)
            if not row["tipos_entidad"] or kind in re.split("[;,]", re.sub(r"\s", "", row["tipos_entidad"].upper()))
        ]
        if len(allowed) == 1:
            words = f"La aplicación {code} solo tiene un perfil para su entidad: «{{}}» ({allowed[0][1]})"
            parts.append(listed([(n, allowed[0][0], words) for n in part["n"]]))
        elif allowed:
            near = _nearest(part, dict(allowed))
            others = part.join(near, on="n", how="anti")["n"]
            some = ", ".join(f"{one} ({name})" for one, name in allowed[:4]) + (" y otros" if len(allowed) > 4 else "")  # noqa: PLR2004 a few
            parts += [near, listed([(n, "", f"La aplicación {code} tiene los perfiles {some}") for n in others])]
    return pl.concat([listed([]), *parts])


def told(name: str, form: str = WRITE) -> Suggester:
    """The value that the rule itself worked out."""

    def suggester(rows: pl.DataFrame, asked: Asked) -> pl.DataFrame:
        return answer(rows, pl.col("details").str.json_path_match(f"$.{name}"), form)

    return suggester


def file_name(rows: pl.DataFrame, asked: Asked) -> pl.DataFrame:
    """The name that the control record asks for."""
    control = asked.batch.control if asked.batch else None
    if control is None:
        return listed([])
    name = asked.batch.file_name if asked.batch else ""
    stated = asked.layout.file_name.read(name)
    values = (stated if isinstance(stated, dict) else {}) | {key: str(value) for key, value in control.items()}
    if not all(values.get(field) for field in asked.layout.file_name.fields):
        return listed([])
    right = asked.layout.file_name.write(values)
    if isinstance(asked.layout.file_name.read(right), dict) is False or right == name.upper():
        return listed([])
    form = "Si el registro de control está bien, el archivo debe llamarse «{}»"
    return listed([(n, right, form) for n in rows["n"]])


CODES: dict[str, Suggester] = {
    "EST014": coded,
    "EST015": coded,
    "ARC005": told("esperado"),
    "ARC006": told("contados"),
    "ARC009": file_name,
    "NOM002": file_name,
    "NOM003": file_name,
    "CTL004": told("esperado"),
    "CTL006": told("esperado", "Escriba «{}», sin el dígito de verificación"),
    "CTL007": typed,
    "CTL008": typed,
    "CTL009": typed,
    "CTL021": told("cercano", "La fecha de corte más cercana del calendario es {}"),
    "USR010": typed,
    "USR031": told("parecido", "¿Quiso escribir el dominio «{}»?"),
    "PRF012": typed,
    "PRF020": application,
    "PRF021": profile,
    "PRF022": profile,
    "PRF023": profile,
    "PRF024": profile,
}
