"""One thing of the registry behind several findings: another entity, a changed representative, names the other way round."""

from collections.abc import Iterator

import polars as pl

from pisis_batch.causes.case import Case, Claim, about, in_lines, many, repeated
from pisis_batch.validators.escritura import without_tilde

_OTHER_ENTITY = {
    "name": ["CTL004"],
    "representante": ["CTL010", "CTL012", "CTL013", "CTL016"],
    "contacto": ["CTL011", "CTL014", "CTL015", "CTL017"],
}


@about(*_OTHER_ENTITY["name"])
def another_entity(case: Case) -> Iterator[Claim]:
    """The number is registered, but name, representative and contact are all those of somebody else."""
    if not all(case.of(*codes).height for codes in _OTHER_ENTITY.values()):
        return
    codes = [code for group in _OTHER_ENTITY.values() for code in group]
    found = case.of(*codes, "USR040", "PRF010", "CTL030")
    yield Claim(
        "otra-entidad",
        "El número del control es de otra entidad",
        "La razón social, el representante legal y el contacto no son los de la entidad registrada con ese número",
        "Legal name, representative and contact are not those of the entity registered under that number",
        "Verifique el tipo y el número de la entidad en el control y en el nombre del archivo.",
        found["n"],
    )


@about("CTL016", "CTL017")
def changed_person(case: Case) -> Iterator[Claim]:
    """The representative or the contact of the file is another person than the registered one."""
    for who, code, words in (
        ("representante", "CTL016", "representante legal"),
        ("contacto", "CTL017", "contacto"),
    ):
        if case.of(code).is_empty():
            continue
        found = case.of(*_OTHER_ENTITY[who])
        yield Claim(
            f"{who}-cambiado",
            f"El {words} del archivo no es el registrado",
            f"La entidad tiene registrado otro {words}; los datos de la persona que trae el control no sirven",
            "The person named by the control record is not the registered one",
            f"Si el {words} cambió, actualice primero la entidad en web.sispro.gov.co; si no, corrija el control.",
            found["n"],
        )


@about("CTL001")
def entity_unknown(case: Case) -> Iterator[Claim]:
    """Nothing can be checked for an entity that is not registered."""
    found = case.of("CTL001")
    if found.height:
        yield Claim(
            "entidad-no-registrada",
            "La entidad no está registrada en SISPRO",
            "Mientras la entidad no esté registrada no se puede procesar ningún registro",
            "The entity is not registered: no record can be processed",
            "Corrija el número, o registre la entidad en web.sispro.gov.co, opción «Registrar Entidad».",
            found["n"],
        )


@about("PRF020")
def empty_catalogue(case: Case) -> Iterator[Claim]:
    """Every application is unknown because the reference table is not loaded: our fault, not the sender's."""
    found = case.of("PRF020")
    if found.height and case.facts is not None and case.facts.profiles.is_empty():
        yield Claim(
            "catalogo-sin-cargar",
            "La tabla de perfiles no está cargada en el sistema",
            "No es un error de su archivo: el sistema no tiene cargada la tabla PerfilPorAplicacion",
            "Not the file's fault: table PerfilPorAplicacion is not loaded here",
            "Escriba a la Mesa de Ayuda y cite el GUID; no tiene que cambiar los códigos.",
            found["n"],
        )


@about("USR022", "USR023", sign=repeated())
def names_swapped(case: Case) -> Iterator[Claim]:
    """First name and surname stand in each other's field, as the register of persons shows."""
    found = case.of("USR022", "USR023")
    if found.is_empty() or case.facts is None or "usuario" not in case.batch.records:
        return
    users = case.batch["usuario"].join(case.facts.persons, on=["tipo_id", "num_id"], suffix="_registrado")
    first, last = (without_tilde(pl.col(name)) for name in ("primer_nombre", "primer_apellido"))
    known = [without_tilde(pl.col(f"{name}_registrado")) for name in ("primer_nombre", "primer_apellido")]
    turned = users.filter((first == known[1]) & (last == known[0]) & (first != last))
    explained = found.filter(pl.col("line").is_in(turned["line"].implode()))
    if turned.height and case.habitual(explained):
        yield Claim(
            "nombres-intercambiados",
            "El nombre y el apellido están cambiados de lugar",
            f"«Primer nombre» trae el apellido y «Primer apellido» el nombre {in_lines(explained)}",
            "First name and surname stand in each other's field",
            "Intercambie las dos columnas en todo el archivo.",
            explained["n"],
        )


@about("USR040", "PRF010", sign=repeated("code"))
def all_strangers(case: Case) -> Iterator[Claim]:
    """Every unlinking, or every profile, is of people who are not linked here."""
    for code, record, slug in (("USR040", "usuario", "ya-desvinculados"), ("PRF010", "perfil", "perfiles-sin-usuario")):
        found = case.of(code)
        if record not in case.batch.records or not case.habitual(found):
            continue
        of = many(found["line"].n_unique(), "persona", "personas")
        es, en, remedy = _STRANGERS[slug]
        yield Claim(slug, es[0], es[1].format(personas=of), en, remedy, found["n"])


_STRANGERS = {
    "ya-desvinculados": (
        (
            "Las personas que se desvinculan no están vinculadas a la entidad",
            "Se pide desvincular a {personas} sin vínculo vigente: quizá ya se desvincularon con un archivo anterior",
        ),
        "The people to unlink are not linked to the entity",
        "Quite esos registros; si la entidad es otra, corrija el control.",
    ),
    "perfiles-sin-usuario": (
        (
            "Los perfiles son de personas que no están vinculadas",
            "Se piden perfiles para {personas} sin vínculo con la entidad ni registro de usuario en el archivo",
        ),
        "Profiles are asked for people who are not linked to the entity",
        "Agregue el registro tipo 2 con acción V de cada persona, o corrija los números para que sean los mismos.",
    ),
}
