"""PRF: profiles assigned to and withdrawn from users, against the catalogue PerfilPorAplicacion (ficha 1.5, 1.7)."""

from __future__ import annotations

from pisis_batch.frames import pl
from pisis_batch.model import Batch, Facts
from pisis_batch.validators import identidad
from pisis_batch.validators.rule import Found, rule

WHO = ["tipo_id", "num_id"]
HELD = [*WHO, "aplicacion"]


def _assigned(batch: Batch) -> pl.DataFrame:
    return batch["perfil"].filter(pl.col("accion") == "A")


@rule(
    "PRF012",
    reach="person",
    on="perfil",
    field="num_id",
    title="Número que no corresponde al tipo de identificación",
    es="El número «{valor}» no corresponde a un documento {tipo_id}, que lleva {forma}",
    en="Number {valor} is not that of a {tipo_id} document ({forma})",
    cause="Al número le faltan o le sobran cifras, o el tipo de identificación es otro.",
    remedy="Escriba el mismo tipo y número con que el usuario está vinculado.",
    source="ficha 3.2",
)
def number_unlike_type(batch: Batch, facts: Facts) -> Found:
    """Each type of document has its own length and signs.

    Rejects:
        3|1|CC|12|186|A|1274
    Accepts:
        3|1|CC|1090000001|186|A|1274
    """
    shape = identidad.shape_in_words(pl.col("tipo_id"))
    return batch["perfil"].filter(~identidad.fits(pl.col("tipo_id"), pl.col("num_id"))).with_columns(forma=shape)


@rule(
    "PRF011",
    reach="person",
    on="perfil",
    field="num_id",
    title="Perfil para un usuario que se desvincula",
    es="La persona {tipo_id} {valor} se desvincula en este mismo archivo; no se le asignan ni retiran perfiles",
    en="Person {tipo_id} {valor} is unlinked in this same file; profiles are neither assigned nor withdrawn",
    cause="La desvinculación ya retira todos los perfiles de la persona en la entidad.",
    remedy="Quite el registro de perfil, o quite la desvinculación.",
    source="ficha 1.5, Q5",
)
def profile_of_the_leaving(batch: Batch, facts: Facts) -> Found:
    """Whoever leaves in the file has no profile lines in it.

    Given:
        linked = ["CC 1090000001 JUAN PEREZ", "CC 1090000002 ANA RUIZ"]
    Rejects:
        2|1|CC|1090000001|JUAN|PEREZ|O|||||
        3|2|CC|1090000001|186|A|1274
    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|O|||||
        3|2|CC|1090000002|186|A|1274
    """
    leaving = batch["usuario"].filter(pl.col("accion") == "O").select(WHO)
    return batch["perfil"].join(leaving, on=WHO, how="semi")


@rule(
    "PRF010",
    reach="person",
    on="perfil",
    field="num_id",
    title="Perfil para quien no está vinculado",
    es="La persona {tipo_id} {valor} no está vinculada a esta entidad ni se vincula en este archivo",
    en="Person {tipo_id} {valor} is neither linked to this entity nor linked by this file",
    cause="Falta el registro tipo 2 que vincula a la persona, o el número no es el mismo.",
    remedy="Agregue el registro tipo 2 con acción V para la persona, o corrija el número de identificación.",
    source="ficha 1.5, Q5",
)
def profile_without_user(batch: Batch, facts: Facts) -> Found:
    """Profiles are for users who are, or become with this file, linked.

    Given:
        linked = ["CC 1090000003 PEDRO RUIZ"]
    Rejects:
        3|1|CC|1090000009|186|A|1274
        3|2|CC|1090000008|186|R|
    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO
        3|2|CC|1090000001|186|A|1274
        3|3|CC|1090000003|186|A|1274
    """
    if facts.entity is None:
        return batch["perfil"].clear()
    users = batch["usuario"].filter(pl.col("accion") == "V").select(WHO)
    return batch["perfil"].join(pl.concat([facts.linked.select(WHO), users]), on=WHO, how="anti")


@rule(
    "PRF020",
    reach="person",
    on="perfil",
    field="aplicacion",
    title="Aplicación desconocida",
    es="La aplicación «{valor}» no está en la tabla PerfilPorAplicacion",
    en="Application {valor} is not in table PerfilPorAplicacion",
    cause="El código de la aplicación está mal escrito, o perdió los ceros de la izquierda.",
    remedy="Consulte el código de la aplicación en la tabla PerfilPorAplicacion (columna Extra_I:CodAplicacion).",
    source="ficha 1.7",
)
def application_unknown(batch: Batch, facts: Facts) -> Found:
    """A profile is assigned in an application of the catalogue; withdrawing is always possible.

    Rejects:
        3|1|CC|1090000001|999|A|1274
    Accepts:
        3|1|CC|1090000001|186|A|1274
        3|2|CC|1090000002|999|R|
    """
    return _assigned(batch).join(facts.profiles, left_on="aplicacion", right_on="cod_aplicacion", how="anti")


@rule(
    "PRF021",
    reach="person",
    on="perfil",
    field="perfil",
    title="Perfil desconocido",
    es="El perfil «{valor}» no está en la tabla PerfilPorAplicacion",
    en="Profile {valor} is not in table PerfilPorAplicacion",
    cause="El código del perfil está mal escrito, o perdió los ceros de la izquierda.",
    remedy="Consulte el código del perfil en la tabla PerfilPorAplicacion (columna Codigo).",
    source="ficha 1.7",
)
def profile_unknown(batch: Batch, facts: Facts) -> Found:
    """A profile that is assigned exists.

    Rejects:
        3|1|CC|1090000001|186|A|9999
    Accepts:
        3|1|CC|1090000001|186|A|1274
    """
    return (
        _assigned(batch)
        .join(facts.profiles, left_on="aplicacion", right_on="cod_aplicacion", how="semi")
        .join(facts.profiles, left_on="perfil", right_on="codigo", how="anti")
    )


@rule(
    "PRF022",
    reach="person",
    on="perfil",
    field="perfil",
    title="Perfil de otra aplicación",
    es="El perfil «{valor}» no es de la aplicación {aplicacion}; es de la aplicación {suya}",
    en="Profile {valor} is not of application {aplicacion} but of {suya}",
    cause="El código de la aplicación o el del perfil no corresponden entre sí.",
    remedy="Corrija la aplicación o el perfil según la tabla PerfilPorAplicacion.",
    source="ficha 1.7",
)
def profile_of_another_application(batch: Batch, facts: Facts) -> Found:
    """The profile belongs to the reported application.

    Rejects:
        3|1|CC|1090000001|186|A|1212
    Accepts:
        3|1|CC|1090000001|186|A|1274
    """
    owners = facts.profiles.group_by("codigo").agg(suya=pl.col("cod_aplicacion").unique().sort().str.join(" o "))
    known = _assigned(batch).join(facts.profiles, left_on="aplicacion", right_on="cod_aplicacion", how="semi")
    return known.join(
        facts.profiles, left_on=["aplicacion", "perfil"], right_on=["cod_aplicacion", "codigo"], how="anti"
    ).join(owners, left_on="perfil", right_on="codigo")


def permitted(kind: str) -> pl.Expr:
    """Whether entities of a type may hold a profile of the catalogue; an empty list means all."""
    listed = (
        pl.col("tipos_entidad").str.replace_all(r"\s", "").str.to_uppercase().str.replace_all(";", ",").str.split(",")
    )
    return (pl.col("tipos_entidad") == "") | listed.list.contains(kind.upper())


def _known(batch: Batch, facts: Facts) -> pl.DataFrame:
    """Assignments whose pair of application and profile exists, with the catalogue's columns."""
    return _assigned(batch).join(
        facts.profiles, left_on=["aplicacion", "perfil"], right_on=["cod_aplicacion", "codigo"]
    )


@rule(
    "PRF023",
    reach="person",
    on="perfil",
    field="perfil",
    title="Perfil no habilitado",
    es="El perfil «{valor}» ({nombre}) no está habilitado",
    en="Profile {valor} ({nombre}) is not enabled",
    cause="El Ministerio retiró el perfil de la tabla PerfilPorAplicacion.",
    remedy="Use un perfil habilitado de la misma aplicación.",
    source="ficha 1.7",
)
def profile_disabled(batch: Batch, facts: Facts) -> Found:
    """The profile is enabled in the catalogue.

    Rejects:
        3|1|CC|1090000001|186|A|0777
    Accepts:
        3|1|CC|1090000001|186|A|1274
    """
    return _known(batch, facts).filter(~pl.col("habilitado"))


@rule(
    "PRF024",
    reach="person",
    on="perfil",
    field="perfil",
    title="Perfil que no es para este tipo de entidad",
    es="El perfil «{valor}» ({nombre}) es para entidades {tipos_entidad} y esta entidad es {tipo}",
    en="Profile {valor} ({nombre}) is for entities {tipos_entidad}; this one is {tipo}",
    cause="El perfil pertenece a otro tipo de entidad.",
    remedy="Use un perfil permitido para el tipo de su entidad, o actualice el tipo en el registro de la entidad.",
    source="ficha 1.7",
)
def profile_of_another_entity_type(batch: Batch, facts: Facts) -> Found:
    """The catalogue says which entity types may hold a profile; an empty list means all.

    Rejects:
        3|1|CC|1090000001|186|A|0888
    Accepts:
        3|1|CC|1090000001|186|A|1274
    """
    if facts.entity is None:
        return batch["perfil"].clear()
    kind = facts.entity.tipo_entidad
    return _known(batch, facts).filter(pl.col("habilitado") & ~permitted(kind)).with_columns(tipo=pl.lit(kind))


@rule(
    "PRF030",
    reach="person",
    on="perfil",
    field="aplicacion",
    severity="advertencia",
    title="Nada que retirar",
    es="La persona no tiene perfil en la aplicación {valor}; no hay nada que retirar",
    en="The person holds no profile in application {valor}; there is nothing to withdraw",
    cause="El perfil ya se había retirado, o nunca se asignó.",
    remedy="No tiene que hacer nada; si la persona o la aplicación son otras, corrija el registro.",
    source="por analogía con Q8; retirar lo que no hay no daña a nadie",
)
def nothing_to_withdraw(batch: Batch, facts: Facts) -> Found:
    """Withdrawing what nobody holds changes nothing and is only told.

    Given:
        linked = ["CC 1090000001 JUAN PEREZ", "CC 1090000002 ANA RUIZ"]
        grants = ["CC 1090000001 186 1274"]
    Rejects:
        3|1|CC|1090000002|186|R|
    Accepts:
        3|1|CC|1090000001|186|R|
    """
    return batch["perfil"].filter(pl.col("accion") == "R").join(facts.grants, on=HELD, how="anti")


@rule(
    "PRF031",
    reach="person",
    on="perfil",
    field="perfil",
    severity="advertencia",
    title="Perfil que reemplaza a otro",
    es="La persona tenía el perfil {anterior} en la aplicación {aplicacion}; queda con el perfil {valor}",
    en="The person held profile {anterior} in application {aplicacion}; it becomes {valor}",
    cause="Un usuario solo puede tener un perfil por aplicación.",
    remedy="No tiene que hacer nada si el cambio es el que quería.",
    source="Q6",
)
def profile_replaced(batch: Batch, facts: Facts) -> Found:
    """Assigning over another profile of the same application replaces it, with a warning.

    Given:
        linked = ["CC 1090000001 JUAN PEREZ", "CC 1090000002 ANA RUIZ"]
        grants = ["CC 1090000001 186 1300", "CC 1090000002 186 1274"]
    Rejects:
        3|1|CC|1090000001|186|A|1274
    Accepts:
        3|1|CC|1090000002|186|A|1274
    """
    held = facts.grants.rename({"perfil": "anterior"})
    return _assigned(batch).join(held, on=HELD).filter(pl.col("anterior") != pl.col("perfil"))
