"""USR: the people linked and unlinked. Only what the layout names is judged; people are looked up in one answer."""

from __future__ import annotations

from pisis_batch.frames import pl
from pisis_batch.model import Batch, Facts
from pisis_batch.validators import dominios, escritura, identidad
from pisis_batch.validators.rule import NOTHING, Found, rule

WHO = ["tipo_id", "num_id"]


@rule(
    "USR010",
    reach="person",
    on="usuario",
    field="num_id",
    title="Número que no corresponde al tipo de identificación",
    es="El número «{valor}» no corresponde a un documento {tipo_id}, que lleva {forma}",
    en="Number {valor} is not that of a {tipo_id} document ({forma})",
    cause="Al número le faltan o le sobran cifras, o el tipo de identificación es otro.",
    remedy="Verifique el tipo y el número en el documento de identidad.",
    source="ficha 3.2; estilo de Error676",
)
def number_unlike_type(batch: Batch, facts: Facts) -> Found:
    """Each type of document has its own length and signs.

    Rejects:
        2|1|CC|10900000010|JUAN|PEREZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO
        2|2|CE|AB1|ANA|RUIZ|V|3150000000|MEDICO|1||ANA@ESE.GOV.CO
    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO
        2|2|PT|1090000|ANA|RUIZ|V|3150000000|MEDICO|1||ANA@ESE.GOV.CO
    """
    shape = identidad.shape_in_words(pl.col("tipo_id"))
    return batch["usuario"].filter(~identidad.fits(pl.col("tipo_id"), pl.col("num_id"))).with_columns(forma=shape)


@rule(
    "USR020",
    reach="person",
    on="usuario",
    field="num_id",
    severity="advertencia",
    title="Usuario que no está en Mi Seguridad Social",
    es="La persona {tipo_id} {valor} no está registrada en Mi Seguridad Social",
    en="Person {tipo_id} {valor} is not registered in Mi Seguridad Social",
    cause="La persona no se ha registrado, o el número es de otra.",
    remedy="Pida a la persona que se registre en www.miseguridadsocial.gov.co; sin eso no podrá recuperar su acceso.",
    source="B9.2, decisión de la misión",
)
def person_not_registered(batch: Batch, facts: Facts) -> Found:
    """Whoever is linked should be registered in Mi Seguridad Social; it does not block.

    Given:
        persons = ["CC 1090000001 JUAN PEREZ"]
    Rejects:
        2|1|CC|1090000009|ANA|RUIZ|V|3150000000|MEDICO|1||ANA@ESE.GOV.CO
    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO
    """
    return batch["usuario"].filter(pl.col("accion") == "V").join(facts.persons, on=WHO, how="anti")


def _spelt_otherwise(batch: Batch, facts: Facts, action: str) -> pl.DataFrame:
    """One row per name cell that differs from the registered one, with `tilde` true when only an Ñ differs."""
    registered = facts.persons
    if action == "O":
        others = facts.linked.select(facts.persons.columns).filter(pl.col("primer_nombre") != "")
        registered = pl.concat([registered, others.join(registered, on=WHO, how="anti")])
    users = batch["usuario"].filter(pl.col("accion") == action).join(registered, on=WHO, suffix="_registrado")
    found = []
    for name in ("primer_nombre", "primer_apellido"):
        given, known = pl.col(name), pl.col(f"{name}_registrado")
        found.append(
            users.filter(escritura.folded(given) != escritura.folded(known)).select(
                "line",
                field=pl.lit(name),
                value=given,
                tilde=escritura.without_tilde(given) == escritura.without_tilde(known),
                registrado=escritura.hinted(known),
            )
        )
    return pl.concat(found)


@rule(
    "USR021",
    reach="person",
    on="usuario",
    severity="advertencia",
    title="N en lugar de Ñ, o al contrario",
    es="«{campo}» trae «{valor}» y en Mi Seguridad Social se escribe con la otra letra (N o Ñ)",
    en="{campo} holds {valor}; Mi Seguridad Social spells it with the other letter (N or Ñ)",
    cause="El programa que hizo el archivo cambia la Ñ por N, o el registro la tiene sin virgulilla.",
    remedy="Escriba el nombre como aparece en el documento de identidad.",
    source="Q19",
)
def tilde_of_n_differs(batch: Batch, facts: Facts) -> Found:
    """Ñ and N are taken as the same letter, with a warning.

    Given:
        persons = ["CC 1090000001 JUAN MUÑOZ"]
    Rejects:
        2|1|CC|1090000001|JUAN|MUNOZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO
    Accepts:
        2|1|CC|1090000001|JUAN|MUÑOZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO
    """
    return pl.concat([_spelt_otherwise(batch, facts, action) for action in "VO"]).filter("tilde")


@rule(
    "USR022",
    reach="person",
    on="usuario",
    severity="advertencia",
    title="Nombre distinto al de Mi Seguridad Social",
    es="«{campo}» trae «{valor}» y en Mi Seguridad Social es {registrado}",
    en="{campo} holds {valor}; in Mi Seguridad Social it is {registrado}",
    cause="El nombre se escribió de otra manera, o el número de identificación es de otra persona.",
    remedy="Verifique el número y el nombre en el documento de identidad.",
    source="Q19",
)
def linked_under_another_name(batch: Batch, facts: Facts) -> Found:
    """Whoever is linked has the name registered in Mi Seguridad Social; it does not block.

    Given:
        persons = ["CC 1090000001 JUAN PEREZ"]
    Rejects:
        2|1|CC|1090000001|JOHN|PEREZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO
    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO
    """
    return _spelt_otherwise(batch, facts, "V").filter(~pl.col("tilde"))


@rule(
    "USR023",
    reach="person",
    on="usuario",
    title="Desvinculación con el nombre de otra persona",
    es="Se pide desvincular a una persona con «{campo}» «{valor}», y la de ese número se llama {registrado}",
    en="An unlinking names {valor} as {campo}; the person with that number is {registrado}",
    cause="El número de identificación de la desvinculación es de otra persona.",
    remedy="Verifique el número: desvincular a quien no es deja sin acceso a una persona que trabaja en la entidad.",
    source="Q19; la desvinculación errada bloquea a una persona",
)
def unlinked_under_another_name(batch: Batch, facts: Facts) -> Found:
    """Whoever is unlinked is the person whose number is given; a wrong unlinking locks somebody out.

    Given:
        linked = ["CC 1090000001 JUAN PEREZ", "CC 1090000002 ANA RUIZ"]
    Rejects:
        2|1|CC|1090000001|PEDRO|PEREZ|O|||||
    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|O|||||
        2|2|CC|1090000002|ANA|RUIZ|O|||||
    """
    return _spelt_otherwise(batch, facts, "O").filter(~pl.col("tilde"))


@rule(
    "USR030",
    reach="person",
    on="usuario",
    field="fecha_fin",
    title="Contrato ya terminado",
    es="La fecha de finalización del contrato ({valor}) debe ser posterior a la fecha de recepción ({hoy})",
    en="The end date of the contract ({valor}) must be later than the day of reception ({hoy})",
    cause="El contrato terminó, termina hoy, o el año está mal escrito.",
    remedy="Escriba la fecha de finalización vigente; si el contrato terminó, no vincule al usuario.",
    source="ficha 1.4 campo 10, Q17",
)
def contract_already_over(batch: Batch, facts: Facts) -> Found:
    """A fixed-term contract ends after the day the file is received.

    A user whose contract is over would be linked in the morning and expire the same night.

    Rejects:
        2|1|CC|1090000001|JUAN|PEREZ|V|3150000000|MEDICO|0|2026-07-15|JUAN@ESE.GOV.CO
    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|V|3150000000|MEDICO|0|2026-07-16|JUAN@ESE.GOV.CO
        2|2|CC|1090000002|ANA|RUIZ|V|3150000000|MEDICO|1||ANA@ESE.GOV.CO
    """
    ends = pl.col("fecha_fin").str.to_date("%Y-%m-%d", strict=False)
    return batch["usuario"].filter(ends <= facts.today).with_columns(hoy=pl.lit(facts.today.isoformat()))


@rule(
    "USR031",
    reach="row",
    on="usuario",
    field="correo",
    severity="advertencia",
    title="Dominio de correo que parece mal escrito",
    es="El correo «{valor}» tiene un dominio que parece mal escrito; se parece a {parecido}",
    en="Address {valor} has a domain that looks misspelt; it is much like {parecido}",
    cause="Al escribir el correo se cambió, se repitió o faltó una letra después de la arroba.",
    remedy="Revise el dominio del correo; si es correcto no tiene que hacer nada.",
    source="ficha 1.4 campo 11",
    since="0.2.0",
)
def domain_nearly_known(batch: Batch, facts: Facts) -> Found:
    """The domain of an address is not one slip away from a well-known one, or from that of the entity's own mail.

    Rejects:
        2|1|CC|1090000001|JUAN|PEREZ|V|3150000000|MEDICO|1||JUAN@GMIAL.COM
    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|V|3150000000|MEDICO|1||JUAN@GMAIL.COM
        2|2|CC|1090000002|ANA|RUIZ|V|3150000000|MEDICO|1||ANA@HOSPITAL.EXAMPLE
    """
    own = facts.entity.correo_institucional.rpartition("@")[2] if facts.entity else ""
    domains = _domains(batch)
    near = {domain: found for domain in domains if (found := dominios.nearest(domain, [own] if own else []))}
    if not near:
        return NOTHING
    named = pl.DataFrame(
        {"dominio": list(near), "parecido": list(near.values())},
        schema=dict.fromkeys(("dominio", "parecido"), pl.String),
    )
    return batch["usuario"].with_columns(dominio=_domain()).join(named, on="dominio")


def _domain() -> pl.Expr:
    return pl.col("correo").str.to_uppercase().str.extract("@([^@]+)$")


def _domains(batch: Batch) -> list[str]:
    """The different domains of the users' addresses, in capitals."""
    if batch.plain is None:
        return batch["usuario"].select(_domain()).to_series().drop_nulls().unique(maintain_order=True).to_list()
    addresses = dict.fromkeys(batch.picked("usuario", ["correo"]))
    return list(dict.fromkeys(address.upper().rpartition("@")[2] for address in addresses))


@rule(
    "USR040",
    reach="person",
    on="usuario",
    field="num_id",
    title="Desvinculación de quien no está vinculado",
    es="La persona {tipo_id} {valor} no está vinculada a esta entidad; no se puede desvincular",
    en="Person {tipo_id} {valor} is not linked to this entity and cannot be unlinked",
    cause="La persona ya se desvinculó, está vinculada a otra entidad, o el número está mal escrito.",
    remedy="Quite el registro o corrija el número de identificación.",
    source="Q8",
)
def unlinking_a_stranger(batch: Batch, facts: Facts) -> Found:
    """Only a user linked to this entity can be unlinked.

    Given:
        linked = ["CC 1090000001 JUAN PEREZ"]
    Rejects:
        2|1|CC|1090000009|ANA|RUIZ|O|||||
    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|O|||||
    """
    if facts.entity is None:
        return batch["usuario"].clear()
    return batch["usuario"].filter(pl.col("accion") == "O").join(facts.linked, on=WHO, how="anti")
