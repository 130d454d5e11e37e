"""CTL: the control record of SEG500USIN against the registry: names of the entity, its people, its address.

The control is one row, so these rules read it as such; each returns that row when it objects.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pisis_batch.frames import pl
from pisis_batch.model import Batch, Facts, Id
from pisis_batch.validators import escritura, identidad
from pisis_batch.validators.rule import NOTHING, Found, Words, rule


def _row(batch: Batch) -> Mapping[str, Any]:
    return batch.control or {}


def _if(batch: Batch, *, objected: bool, **facts: str) -> Found:
    return (
        batch["control"].with_columns(**{name: pl.lit(value) for name, value in facts.items()}) if objected else NOTHING
    )


def _names(batch: Batch, facts: Facts) -> tuple[str, str]:
    given = _row(batch).get("razon_social", "")
    return given, facts.entity.razon_social if facts.entity else given


@rule(
    "CTL004",
    reach="control",
    on="control",
    field="razon_social",
    title="Razón social distinta a la registrada",
    es="La razón social es «{valor}» y la entidad está registrada como «{esperado}»",
    en="The legal name is {valor}; the entity is registered as {esperado}",
    cause="La razón social cambió, se abrevió, o el número es de otra entidad.",
    remedy="Escriba la razón social como está registrada en web.sispro.gov.co, o actualice la entidad.",
    source="ficha 1.3 campo 5, Q19",
)
def legal_name_differs(batch: Batch, facts: Facts) -> Found:
    """The legal name is the registered one; accents, case and repeated spaces do not count.

    Rejects:
        1|NI|900123456|2026-07-15|1|HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000002|ANA|GOMEZ|C@E.CO
    Accepts:
        1|NI|900123456|2026-07-15|1|ESE HOSPITAL  EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000002|ANA|GOMEZ|C@E.CO
    """
    given, known = (escritura.fold(name).replace("Ñ", "N") for name in _names(batch, facts))
    return _if(batch, objected=given != known, esperado=facts.entity.razon_social if facts.entity else "")


@rule(
    "CTL005",
    reach="control",
    on="control",
    field="nit_alterno",
    title="NIT alterno errado",
    es="El NIT alterno «{valor}» no es correcto: {motivo}",
    en="The alternate NIT {valor} is not right: {reason}",
    cause="El campo se llenó con otro número, o con el dígito de verificación.",
    remedy="Si la entidad se identifica con NIT, deje el campo vacío o repita el mismo NIT; si no, escriba su NIT de 9 cifras.",
    source="ficha 1.3 campo 6, Q1",
)
def alternate_nit_wrong(batch: Batch, facts: Facts) -> Found:
    """With NI it is empty or repeats the NIT; otherwise it is a NIT without check digit.

    Rejects:
        1|NI|900123456|2026-07-15|1|ESE HOSPITAL EJEMPLO|900654321|CC|10000001|LUISA|PEREZ|CC|10000002|ANA|GOMEZ|C@E.CO
    Accepts:
        1|NI|900123456|2026-07-15|1|ESE HOSPITAL EJEMPLO|900123456|CC|10000001|LUISA|PEREZ|CC|10000002|ANA|GOMEZ|C@E.CO
    """
    row = _row(batch)
    other = row.get("nit_alterno", "")
    if not other:
        return NOTHING
    if row["tipo_id_entidad"] == "NI":
        wrong = other != row["num_id_entidad"]
        return _if(
            batch,
            objected=wrong,
            motivo="no es el mismo NIT de la entidad",
            reason="it is not the entity's own NIT",
        )
    wrong = identidad.carries_check_digit(other) or not identidad.fit("NI", other)
    return _if(
        batch, objected=wrong, motivo="debe tener 9 cifras, sin dígito de verificación", reason="it takes 9 digits"
    )


def _person(batch: Batch, who: str) -> Id:
    row = _row(batch)
    return Id(row.get(f"tipo_id_{who}", ""), row.get(f"num_id_{who}", ""))


def _registered(batch: Batch, facts: Facts, who: str) -> dict[str, Any] | None:
    """The person of the control record as Mi Seguridad Social has it."""
    person = _person(batch, who)
    return facts.person(person)


def _unlike(batch: Batch, who: str) -> Found:
    kind, row = f"tipo_id_{who}", _row(batch)
    if not row or identidad.fit(row[kind], row[f"num_id_{who}"]) is not False:
        return NOTHING
    return batch["control"].with_columns(tipo=pl.col(kind), forma=identidad.shape_in_words(pl.col(kind)))


_UNLIKE: Words = {
    "es": "El número «{valor}» no corresponde a un documento {tipo}, que lleva {forma}",
    "en": "Number {valor} is not that of a {tipo} document ({forma})",
    "cause": "Al número le faltan o le sobran cifras, o el tipo de identificación es otro.",
    "remedy": "Verifique el tipo y el número en el documento de identidad.",
    "source": "ficha 3.2; estilo de Error676",
}


@rule(
    "CTL008",
    reach="control",
    on="control",
    field="num_id_representante",
    title="Número que no corresponde al tipo de identificación del representante",
    **_UNLIKE,
)
def representative_number_unlike_type(batch: Batch, facts: Facts) -> Found:
    """The representative's number looks like its type.

    Rejects:
        1|NI|900123456|2026-07-15|1|ESE HOSPITAL EJEMPLO||CC|12|LUISA|PEREZ|CC|10000002|ANA|GOMEZ|C@E.CO
    Accepts:
        1|NI|900123456|2026-07-15|1|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000002|ANA|GOMEZ|C@E.CO
    """
    return _unlike(batch, "representante")


@rule(
    "CTL009",
    reach="control",
    on="control",
    field="num_id_contacto",
    title="Número que no corresponde al tipo de identificación del contacto",
    **_UNLIKE,
)
def contact_number_unlike_type(batch: Batch, facts: Facts) -> Found:
    """The contact's number looks like its type.

    Rejects:
        1|NI|900123456|2026-07-15|1|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CE|AB1|ANA|GOMEZ|C@E.CO
    Accepts:
        1|NI|900123456|2026-07-15|1|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000002|ANA|GOMEZ|C@E.CO
    """
    return _unlike(batch, "contacto")


@rule(
    "CTL010",
    reach="control",
    on="control",
    field="num_id_representante",
    title="Representante legal sin registro en Mi Seguridad Social",
    es="El representante legal {tipo_id_representante} {valor} no está registrado en Mi Seguridad Social",
    en="The legal representative {tipo_id_representante} {valor} is not registered in Mi Seguridad Social",
    cause="El representante no se ha registrado, o el número está mal escrito.",
    remedy="El representante legal debe registrar sus datos en www.miseguridadsocial.gov.co.",
    source="A3.6",
)
def representative_not_registered(batch: Batch, facts: Facts) -> Found:
    """The legal representative has registered in Mi Seguridad Social.

    Rejects:
        1|NI|900123456|2026-07-15|1|ESE HOSPITAL EJEMPLO||CC|10000077|LUISA|PEREZ|CC|10000002|ANA|GOMEZ|C@E.CO
    Accepts:
        1|NI|900123456|2026-07-15|1|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000002|ANA|GOMEZ|C@E.CO
    """
    return _if(batch, objected=_registered(batch, facts, "representante") is None)


@rule(
    "CTL011",
    reach="control",
    on="control",
    field="num_id_contacto",
    title="Contacto sin registro en Mi Seguridad Social",
    es="La persona de contacto {tipo_id_contacto} {valor} no está registrada en Mi Seguridad Social",
    en="The contact {tipo_id_contacto} {valor} is not registered in Mi Seguridad Social",
    cause="La persona de contacto no se ha registrado, o el número está mal escrito.",
    remedy="La persona de contacto debe registrar sus datos en www.miseguridadsocial.gov.co.",
    source="A3.6",
)
def contact_not_registered(batch: Batch, facts: Facts) -> Found:
    """The contact has registered in Mi Seguridad Social.

    Rejects:
        1|NI|900123456|2026-07-15|1|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000077|ANA|GOMEZ|C@E.CO
    Accepts:
        1|NI|900123456|2026-07-15|1|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000002|ANA|GOMEZ|C@E.CO
    """
    return _if(batch, objected=_registered(batch, facts, "contacto") is None)


def _name_differs(batch: Batch, facts: Facts, who: str, field: str, column: str) -> Found:
    person = _registered(batch, facts, who)
    given = _row(batch).get(field, "")
    known = person[column] if person else given
    differs = escritura.fold(given).replace("Ñ", "N") != escritura.fold(known).replace("Ñ", "N")
    return _if(batch, objected=differs, registrado=f"{known[:1]}… ({len(known)} letras)")


_NAME: Words = {
    "es": "«{campo}» es «{valor}» y en Mi Seguridad Social es {registrado}",
    "en": "{campo} is {valor}; in Mi Seguridad Social it is {registrado}",
    "cause": "El nombre se escribió de otra manera, o el número de identificación es de otra persona.",
    "remedy": "Escriba el nombre igual al registrado en www.miseguridadsocial.gov.co, o corrija allí el registro.",
    "source": "ficha 1.3, A3.6, Q19",
}


@rule(
    "CTL012",
    reach="control",
    on="control",
    field="nombre_representante",
    title="Nombre del representante distinto al registrado",
    **_NAME,
)
def representative_first_name_differs(batch: Batch, facts: Facts) -> Found:
    """The representative's first name is the one registered.

    Rejects:
        1|NI|900123456|2026-07-15|1|ESE HOSPITAL EJEMPLO||CC|10000001|LUCIA|PEREZ|CC|10000002|ANA|GOMEZ|C@E.CO
    Accepts:
        1|NI|900123456|2026-07-15|1|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000002|ANA|GOMEZ|C@E.CO
    """
    return _name_differs(batch, facts, "representante", "nombre_representante", "primer_nombre")


@rule(
    "CTL013",
    reach="control",
    on="control",
    field="apellido_representante",
    title="Apellido del representante distinto al registrado",
    **_NAME,
)
def representative_surname_differs(batch: Batch, facts: Facts) -> Found:
    """The representative's surname is the one registered.

    Rejects:
        1|NI|900123456|2026-07-15|1|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PERES|CC|10000002|ANA|GOMEZ|C@E.CO
    Accepts:
        1|NI|900123456|2026-07-15|1|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000002|ANA|GOMEZ|C@E.CO
    """
    return _name_differs(batch, facts, "representante", "apellido_representante", "primer_apellido")


@rule(
    "CTL014",
    reach="control",
    on="control",
    field="nombre_contacto",
    title="Nombre del contacto distinto al registrado",
    **_NAME,
)
def contact_first_name_differs(batch: Batch, facts: Facts) -> Found:
    """The contact's first name is the one registered.

    Rejects:
        1|NI|900123456|2026-07-15|1|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000002|EVA|GOMEZ|C@E.CO
    Accepts:
        1|NI|900123456|2026-07-15|1|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000002|ANA|GOMEZ|C@E.CO
    """
    return _name_differs(batch, facts, "contacto", "nombre_contacto", "primer_nombre")


@rule(
    "CTL015",
    reach="control",
    on="control",
    field="apellido_contacto",
    title="Apellido del contacto distinto al registrado",
    **_NAME,
)
def contact_surname_differs(batch: Batch, facts: Facts) -> Found:
    """The contact's surname is the one registered.

    Rejects:
        1|NI|900123456|2026-07-15|1|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000002|ANA|GAMEZ|C@E.CO
    Accepts:
        1|NI|900123456|2026-07-15|1|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000002|ANA|GOMEZ|C@E.CO
    """
    return _name_differs(batch, facts, "contacto", "apellido_contacto", "primer_apellido")


@rule(
    "CTL016",
    reach="control",
    on="control",
    field="num_id_representante",
    title="No es el representante legal de la entidad",
    es="La persona {tipo_id_representante} {valor} no es el representante legal registrado de la entidad",
    en="Person {tipo_id_representante} {valor} is not the entity's registered legal representative",
    cause="La entidad cambió de representante y no lo ha actualizado, o el número está mal escrito.",
    remedy="Corrija el número, o haga la actualización de representante legal (soportepisis@minsalud.gov.co).",
    source="A7, decisión de la misión",
)
def representative_of_another(batch: Batch, facts: Facts) -> Found:
    """The representative is the entity's.

    Rejects:
        1|NI|900123456|2026-07-15|1|ESE HOSPITAL EJEMPLO||CC|10000002|ANA|GOMEZ|CC|10000002|ANA|GOMEZ|C@E.CO
    Accepts:
        1|NI|900123456|2026-07-15|1|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000002|ANA|GOMEZ|C@E.CO
    """
    known = facts.entity.representante if facts.entity else None
    return _if(batch, objected=known is not None and known != _person(batch, "representante"))


@rule(
    "CTL017",
    reach="control",
    on="control",
    field="num_id_contacto",
    title="No es el contacto de la entidad",
    es="La persona {tipo_id_contacto} {valor} no es el contacto registrado de la entidad",
    en="Person {tipo_id_contacto} {valor} is not the entity's registered contact",
    cause="La entidad cambió de contacto y no lo ha actualizado, o el número está mal escrito.",
    remedy="Corrija el número, o actualice la entidad en web.sispro.gov.co.",
    source="A7.12, A7.13, decisión de la misión",
)
def contact_of_another(batch: Batch, facts: Facts) -> Found:
    """The contact is the entity's; without one, the legal representative is (A7.13).

    Rejects:
        1|NI|900123456|2026-07-15|1|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000001|LUISA|PEREZ|C@E.CO
    Accepts:
        1|NI|900123456|2026-07-15|1|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000002|ANA|GOMEZ|C@E.CO
    """
    known = (facts.entity.contacto or facts.entity.representante) if facts.entity else None
    return _if(batch, objected=known is not None and known != _person(batch, "contacto"))


@rule(
    "CTL030",
    reach="control",
    on="control",
    field="correo_institucional",
    severity="advertencia",
    title="Correo distinto al registrado",
    es="El correo «{valor}» no es el registrado y confirmado de la entidad; este reporte no se envía a esa dirección",
    en="Address {valor} is not the entity's registered and confirmed one; this report is not sent there",
    cause="La entidad cambió de correo, o la dirección está mal escrita.",
    remedy="Si el correo cambió, actualice la entidad en web.sispro.gov.co y confirme la dirección nueva.",
    source="Q20, A7.2",
)
def address_not_confirmed(batch: Batch, facts: Facts) -> Found:
    """Reports go to the confirmed address only; letter case does not count.

    Rejects:
        1|NI|900123456|2026-07-15|1|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000002|ANA|GOMEZ|OTRO@ESE.GOV.CO
    Accepts:
        1|NI|900123456|2026-07-15|1|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000002|ANA|GOMEZ|CONTACTO@ESE.GOV.CO
    """
    known = facts.entity
    given = _row(batch).get("correo_institucional", "")
    differs = known is not None and known.correo_confirmado and known.correo_institucional.lower() != given.lower()
    return _if(batch, objected=differs)


@rule(
    "CTL031",
    reach="control",
    on="control",
    severity="advertencia",
    title="N en lugar de Ñ, o al contrario",
    es="«{campo}» trae «{valor}» y en el registro se escribe con la otra letra (N o Ñ)",
    en="{campo} holds {valor}; the register spells it with the other letter (N or Ñ)",
    cause="El programa que hizo el archivo cambia la Ñ por N, o el registro la tiene sin virgulilla.",
    remedy="Escriba el nombre como está registrado.",
    source="Q19",
)
def tilde_of_n_differs(batch: Batch, facts: Facts) -> Found:
    """Ñ and N are taken as the same letter, with a warning.

    Given:
        persons = ["CC 10000001 LUISA PEÑA", "CC 10000002 ANA GOMEZ"]
    Rejects:
        1|NI|900123456|2026-07-15|1|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PENA|CC|10000002|ANA|GOMEZ|C@E.CO
    Accepts:
        1|NI|900123456|2026-07-15|1|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEÑA|CC|10000002|ANA|GOMEZ|C@E.CO
    """
    row = _row(batch)
    pairs = [("razon_social", _names(batch, facts)[1])]
    for who in ("representante", "contacto"):
        if person := _registered(batch, facts, who):
            pairs += [(f"nombre_{who}", person["primer_nombre"]), (f"apellido_{who}", person["primer_apellido"])]
    found = []
    for field, known in pairs:
        given, other = escritura.fold(row.get(field, "")), escritura.fold(known)
        if given != other and given.replace("Ñ", "N") == other.replace("Ñ", "N"):
            found.append(batch["control"].select("line", field=pl.lit(field), value=pl.col(field)))
    return pl.concat(found) if found else NOTHING
