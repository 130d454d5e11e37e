"""CTL: who answers for an entity in the control record of SEG500USIN, its representative and its contact."""

from __future__ import annotations

from pisis_batch.frames import pl
from pisis_batch.model import Batch, Facts
from pisis_batch.validators import escritura, identidad
from pisis_batch.validators.fila_de_control import objected_if, person_of, registered, row_of
from pisis_batch.validators.rule import NOTHING, Found, Words, rule


def _unlike(batch: Batch, who: str) -> Found:
    kind, row = f"tipo_id_{who}", row_of(batch)
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
    return objected_if(batch, objected=registered(batch, facts, "representante") is None)


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
    return objected_if(batch, objected=registered(batch, facts, "contacto") is None)


def _name_differs(batch: Batch, facts: Facts, who: str, field: str, column: str) -> Found:
    person = registered(batch, facts, who)
    given = row_of(batch).get(field, "")
    known = person[column] if person else given
    differs = escritura.fold(given).replace("Ñ", "N") != escritura.fold(known).replace("Ñ", "N")
    return objected_if(batch, objected=differs, registrado=f"{known[:1]}… ({len(known)} letras)")


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
    return objected_if(batch, objected=known is not None and known != person_of(batch, "representante"))


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
    return objected_if(batch, objected=known is not None and known != person_of(batch, "contacto"))
