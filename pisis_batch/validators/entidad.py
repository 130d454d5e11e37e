"""CTL, the entity of any annex: registered, active, confirmed, and written as its type asks.

Where a layout names its entity (`entity`), there these rules look: in the control record or, when that does not say it,
in the name of the file.
"""

from __future__ import annotations

from pisis_batch.frames import pl
from pisis_batch.model import Batch, Facts
from pisis_batch.validators import identidad
from pisis_batch.validators.rule import NOTHING, Found, rule


def _stated(batch: Batch) -> tuple[str, str] | None:
    """Type and number of the entity, by the first control line or else the name; None without that line."""
    row, key, named = batch.head(batch.layout.control.name), batch.layout.entity, batch.named
    if row is None:
        return None
    kind = key.type if key.fixed else row.get(key.type, named.get(key.type, ""))
    return kind, row.get(key.number, named.get(key.number, ""))


def _entity(batch: Batch) -> pl.DataFrame:
    """The control's line with columns field, value (the entity's number) and tipo_id_entidad."""
    control, key = batch.layout.control, batch.layout.entity
    kind, number = _stated(batch) or ("", "")
    return batch[control.name].select(
        "line",
        record=pl.lit(control.name),
        field=pl.lit(key.number if key.number in control.by_name else None, dtype=pl.String),
        value=pl.lit(number),
        tipo_id_entidad=pl.lit(kind),
    )


def _if(batch: Batch, *, objected: bool) -> Found:
    return _entity(batch) if objected else NOTHING


@rule(
    "CTL006",
    reach="control",
    general=True,
    on="control",
    field="num_id_entidad",
    title="NIT con dígito de verificación",
    es="El NIT «{valor}» trae el dígito de verificación; debe ser {esperado}",
    en="NIT {valor} includes its check digit; it must be {esperado}",
    cause="Se escribió el NIT completo, con su último dígito después del guion.",
    remedy="Quite el último dígito en el control y en el nombre del archivo.",
    source="ficha 3.3",
)
def nit_with_check_digit(batch: Batch, facts: Facts) -> Found:
    """Identification numbers of entities travel without the check digit.

    Rejects:
        1|NI|9001234568|2026-07-15|1|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000002|ANA|GOMEZ|C@E.CO
    Accepts:
        1|NI|900123456|2026-07-15|1|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000002|ANA|GOMEZ|C@E.CO
    """
    if facts.entity is not None:
        return NOTHING
    kind, number = _stated(batch) or ("", "")
    if kind != "NI" or not identidad.carries_check_digit(number):
        return NOTHING
    return _entity(batch).with_columns(esperado=pl.lit(number[:9]))


@rule(
    "CTL007",
    reach="control",
    general=True,
    on="control",
    field="num_id_entidad",
    title="Número que no corresponde al tipo de la entidad",
    es="El número «{valor}» no corresponde a una entidad de tipo {tipo_id_entidad}, que lleva {forma}",
    en="Number {valor} is not that of an entity of type {tipo_id_entidad} ({forma})",
    cause="Al número le faltan o le sobran cifras, lleva ceros de relleno, o el tipo es otro.",
    remedy="Verifique el tipo y el número de la entidad.",
    source="ficha 3.2, 3.4",
)
def entity_number_unlike_type(batch: Batch, facts: Facts) -> Found:
    """A NIT has nine digits; a municipality its five DANE digits; a department two.

    Rejects:
        1|NI|000900123456|2026-07-15|1|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000002|ANA|GOMEZ|C@E.CO
    Accepts:
        1|NI|900123456|2026-07-15|1|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000002|ANA|GOMEZ|C@E.CO
    """
    stated = _stated(batch)
    if stated is None or identidad.fit(*stated) is not False:
        return NOTHING
    return _entity(batch).with_columns(forma=identidad.shape_in_words(pl.col("tipo_id_entidad")))


@rule(
    "CTL001",
    reach="control",
    general=True,
    on="control",
    field="num_id_entidad",
    title="Entidad no registrada",
    es="La entidad {tipo_id_entidad} {valor} no está registrada en SISPRO",
    en="Entity {tipo_id_entidad} {valor} is not registered in SISPRO",
    cause="La entidad no se ha registrado, o el tipo o el número están mal escritos.",
    remedy="Corrija el número, o registre la entidad en web.sispro.gov.co, opción «Registrar Entidad».",
    source="A1.2, ficha 1.6",
)
def entity_unknown(batch: Batch, facts: Facts) -> Found:
    """The entity of the file is registered.

    Rejects:
        1|NI|900999999|2026-07-15|1|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000002|ANA|GOMEZ|C@E.CO
    Accepts:
        1|NI|900123456|2026-07-15|1|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000002|ANA|GOMEZ|C@E.CO
    """
    return _if(batch, objected=facts.entity is None)


@rule(
    "CTL002",
    reach="control",
    general=True,
    on="control",
    field="num_id_entidad",
    title="Entidad inactiva",
    es="La entidad {tipo_id_entidad} {valor} está inactiva en SISPRO",
    en="Entity {tipo_id_entidad} {valor} is inactive in SISPRO",
    cause="La entidad se cerró o se inactivó.",
    remedy="Actualice la entidad en web.sispro.gov.co o escriba a soportepisis@minsalud.gov.co.",
    source="decisión de la misión",
)
def entity_inactive(batch: Batch, facts: Facts) -> Found:
    """Only an active entity reports.

    Accepts:
        1|NI|900123456|2026-07-15|1|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000002|ANA|GOMEZ|C@E.CO
    Given:
        entity = { activa = false }
    Rejects:
        1|NI|900123456|2026-07-15|1|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000002|ANA|GOMEZ|C@E.CO
    """
    return _if(batch, objected=facts.entity is not None and not facts.entity.activa)


@rule(
    "CTL003",
    reach="control",
    general=True,
    on="control",
    field="correo_institucional",
    title="Correo institucional sin confirmar",
    es="La entidad no ha confirmado su correo institucional registrado y no puede realizar ningún proceso",
    en="The entity has not confirmed its registered e-mail and can do nothing until it does",
    cause="Nadie ha abierto el correo de confirmación enviado a la dirección registrada de la entidad.",
    remedy="Abra el correo de confirmación que se envía de nuevo a la dirección registrada, confírmela y reenvíe el archivo.",
    source="A7.2, A7.3",
)
def entity_mail_unconfirmed(batch: Batch, facts: Facts) -> Found:
    """Who has not confirmed the institutional e-mail can do nothing.

    Accepts:
        1|NI|900123456|2026-07-15|1|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000002|ANA|GOMEZ|C@E.CO
    Given:
        entity = { correo_confirmado = false }
    Rejects:
        1|NI|900123456|2026-07-15|1|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000002|ANA|GOMEZ|C@E.CO
    """
    if facts.entity is None or facts.entity.correo_confirmado:
        return NOTHING
    rows = _entity(batch)
    control = batch.layout.control
    address = next((field.name for field in control.fields if field.format == "correo"), None)
    if address is None:
        return rows
    given = batch[control.name].select("line", value=pl.col(address))
    return rows.drop("value").with_columns(field=pl.lit(address)).join(given, on="line")
