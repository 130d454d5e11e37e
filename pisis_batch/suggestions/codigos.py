"""Codes: the value of a list or table that was probably meant, and the document type that a number looks like."""

import re
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter

from rapidfuzz import fuzz, process

from pisis_batch.frames import picked
from pisis_batch.suggestions.asked import GUESS, WRITE, Answer, Asked, Faulty, Meant, Suggester, each
from pisis_batch.validators import identidad
from pisis_batch.validators.escritura import fold

_ALIKE = 80  # of 100: how alike two texts must be
_YES, _NO = {"SI", "S", "X", "TRUE", "VERDADERO", "YES", "Y"}, {"NO", "N", "FALSE", "FALSO"}


@each
def coded(row: Faulty, asked: Asked) -> Meant:
    """The code whose meaning was written out, shortened, padded or misspelt."""
    known = asked.field(row.record, row.field)
    codes = asked.codes(known) if known else {}
    meant = _code(row.value, codes)
    if not meant:
        return None
    return meant, GUESS if codes[meant] == "" else f"{GUESS[:-1]} ({codes[meant]})?"


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


@each
def typed(row: Faulty, asked: Asked) -> Meant:
    """The number without the zeros, signs or check digit that make it unlike its type; else the type it looks like."""
    value, said = row.value, row.detail("tipo_id", "tipo", "tipo_id_entidad")
    bare = value.lstrip("0")
    if bare != value and identidad.fit(said, bare):
        return bare, WRITE
    # a passport takes nearly anything: digits alone are no sign of one
    likely = ("CC", "CE", "PT") if value.isdigit() else ("PA", "CD")
    fitting = [k for k in likely if k != said and re.match(identidad.SHAPES[k][0], value)]
    if said not in _LOOKS or not fitting or (said == "PA" and value.isdigit()):
        return None
    words = " o ".join(f"{k} ({_LOOKS[k]})" for k in fitting[:2])
    return fitting[0], f"Por su forma, el número parece de tipo {words}: revise el tipo de identificación"


def application(rows: Sequence[Faulty], asked: Asked) -> Iterable[Answer]:
    """The application of the table that is written nearly so."""
    if asked.facts is None:
        return
    known: dict[str, str] = dict(
        sorted(picked(asked.facts, "profiles", ("cod_aplicacion", "nombre_aplicacion")), key=itemgetter(0))
    )
    for row in rows:
        if (near := _nearest(row.value, known)) is not None:
            yield row.n, *near


def _nearest(value: str, known: Mapping[str, str]) -> Meant:
    padded = [code for code in known if code.lstrip("0") == value.lstrip("0")]
    near = padded or [
        code for code, *_ in process.extract(value, list(known), scorer=fuzz.ratio, score_cutoff=60, limit=1)
    ]
    if not near or near[0] == value:
        return None
    meaning = f" ({known[near[0]]})" if known[near[0]] else ""
    return near[0], f"{GUESS[:-1]}{meaning}?"


def profile(rows: Sequence[Faulty], asked: Asked) -> Iterable[Answer]:
    """The profile of the same application that is nearest, or the only one that may be assigned."""
    if asked.facts is None or asked.batch is None:
        return
    kind = asked.facts.entity.tipo_entidad.upper() if asked.facts.entity else ""
    of, codes = asked.cells("perfil", ("aplicacion",), rows), dict[str, dict[str, str]]()
    for code, name, application, kinds, is_open in sorted(picked(asked.facts, "profiles", _PROFILE), key=itemgetter(0)):
        allowed = not kinds or kind in re.split("[;,]", re.sub(r"\s", "", kinds.upper()))
        if is_open and allowed:
            codes.setdefault(application, {})[code] = name
    for row in rows:
        (application,) = of.get(row.line or 0, ("",))
        if (meant := _profile(row.value, application, codes.get(application, {}))) is not None:
            yield row.n, *meant


_PROFILE = ("codigo", "nombre", "cod_aplicacion", "tipos_entidad", "habilitado")
_SOME = 4  # profiles that are named


def _profile(value: str, application: str, allowed: Mapping[str, str]) -> Meant:
    if len(allowed) == 1:
        ((code, name),) = allowed.items()
        return code, f"La aplicación {application} solo tiene un perfil para su entidad: «{{}}» ({name})"
    if not allowed:
        return None
    if (near := _nearest(value, allowed)) is not None:
        return near
    some = ", ".join(f"{one} ({name})" for one, name in list(allowed.items())[:_SOME])
    return "", f"La aplicación {application} tiene los perfiles {some}" + (" y otros" if len(allowed) > _SOME else "")


def told(name: str, form: str = WRITE) -> Suggester:
    """The value that the rule itself worked out."""

    @each
    def suggester(row: Faulty, asked: Asked) -> Meant:
        known = row.detail(name)
        return (known, form) if known else None

    return suggester


@each
def file_name(row: Faulty, asked: Asked) -> Meant:
    """The name that the control record asks for."""
    control = asked.batch.control if asked.batch else None
    if control is None:
        return None
    name = asked.batch.file_name if asked.batch else ""
    stated = asked.layout.file_name.read(name)
    values = (stated if isinstance(stated, dict) else {}) | {key: str(value) for key, value in control.items()}
    if not all(values.get(field) for field in asked.layout.file_name.fields):
        return None
    right = asked.layout.file_name.write(values)
    if isinstance(asked.layout.file_name.read(right), dict) is False or right == name.upper():
        return None
    return right, "Si el registro de control está bien, el archivo debe llamarse «{}»"


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
