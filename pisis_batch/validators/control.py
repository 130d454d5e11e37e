"""CTL: what the control record of SEG500USIN says of the entity itself, against the registry."""

from __future__ import annotations

from pisis_batch.frames import pl
from pisis_batch.model import Batch, Facts
from pisis_batch.validators import escritura, identidad
from pisis_batch.validators.fila_de_control import objected_if, registered, row_of
from pisis_batch.validators.rule import NOTHING, Found, rule


def _names(batch: Batch, facts: Facts) -> tuple[str, str]:
    given = row_of(batch).get("razon_social", "")
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
    return objected_if(batch, objected=given != known, esperado=facts.entity.razon_social if facts.entity else "")


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
    row = row_of(batch)
    other = row.get("nit_alterno", "")
    if not other:
        return NOTHING
    if row["tipo_id_entidad"] == "NI":
        wrong = other != row["num_id_entidad"]
        return objected_if(
            batch,
            objected=wrong,
            motivo="no es el mismo NIT de la entidad",
            reason="it is not the entity's own NIT",
        )
    wrong = identidad.carries_check_digit(other) or not identidad.fit("NI", other)
    return objected_if(
        batch, objected=wrong, motivo="debe tener 9 cifras, sin dígito de verificación", reason="it takes 9 digits"
    )


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
    given = row_of(batch).get("correo_institucional", "")
    differs = known is not None and known.correo_confirmado and known.correo_institucional.lower() != given.lower()
    return objected_if(batch, objected=differs)


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
    row = row_of(batch)
    pairs = [("razon_social", _names(batch, facts)[1])]
    for who in ("representante", "contacto"):
        if person := registered(batch, facts, who):
            pairs += [(f"nombre_{who}", person["primer_nombre"]), (f"apellido_{who}", person["primer_apellido"])]
    found = []
    for field, known in pairs:
        given, other = escritura.fold(row.get(field, "")), escritura.fold(known)
        if given != other and given.replace("Ñ", "N") == other.replace("Ñ", "N"):
            found.append(batch["control"].select("line", field=pl.lit(field), value=pl.col(field)))
    return pl.concat(found) if found else NOTHING
