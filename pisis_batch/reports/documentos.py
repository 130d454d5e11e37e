"""Acta de Validación de cargue and Resultado de procesamiento: official sections and wording (ficha 2.20, 2.21)."""

import dataclasses

from pisis_batch.causes import diagnose
from pisis_batch.model import Outcome, Verdict
from pisis_batch.reports import intentos
from pisis_batch.reports.page import Page, causes, many, moment, more, number, rows, visible
from pisis_batch.reports.told import Told

#: Official wording, without the accents the ministry leaves out.
STRUCTURE_RIGHT = "La Estructura del Archivo es Correcta"
HANDED_ON = "El archivo pasa a ser entregado al área de gestión para completar su procesamiento."
CONTROL_AT_FAULT = (
    "El archivo No se procesó debido a inconsistencias en el registro de control, no se cargo ningun registro"
)
#: Ours, in the same style (Q25, Q26).
STRUCTURE_WRONG = "La Estructura del Archivo es Incorrecta"
RECORDS_AT_FAULT = "El archivo No se procesó debido a inconsistencias en sus registros, no se cargó ningún registro"
PROCESSED = "El archivo se procesó correctamente"
_RESEND = "Corrija lo indicado y envíe de nuevo el archivo completo. Nada de este envío quedó cargado."


def _page(told: Told, *, title: str, tone: str, headline: str, lead: str) -> Page:
    outcome = told.outcome
    received, entity = outcome.received, outcome.examined.entity
    known = outcome.facts.entity if outcome.facts else None
    batch, layout = outcome.examined.batch, outcome.examined.layout
    row = batch.control if batch else None
    stated = row[layout.entity.name] if row and layout and layout.entity.name else ""
    return Page(
        title=title,
        tone=tone,
        headline=headline,
        lead=lead,
        guid=received.guid,
        # a file we could not even read back has no hash to print
        md5=received.md5 if received.content else "",
        sha256=received.sha256 if received.content else "",
        ruleset=outcome.ruleset,
        at=moment(told.at),
        received=moment(received.received_at),
        file_name=visible(received.name),
        who=known.razon_social if known else visible(stated or "Entidad no identificada"),
        id_label={"NI": "NIT"}.get(entity.type, entity.type) if entity else "Identificación",
        id_number=entity.number if entity else "desconocida",
        municipio=known.municipio if known else "",
        causes_line=diagnose(outcome).headline,
        causes=causes(outcome),
        rows=rows(told),
        more=more(outcome),
    )


def _sum(outcome: Outcome) -> str:
    counts = outcome.counts
    if outcome.verdict is Verdict.RECHAZADO and counts.with_errors == 0 and counts.read:
        return "Los errores no están en los registros de detalle; por ellos no se cargó ninguno."
    return ""


def acta(told: Told) -> Page:
    """The first document: what the structure of the file is like."""
    outcome, counts = told.outcome, told.outcome.counts
    title = "Acta de Validación de cargue"
    figures: tuple[tuple[str, str], ...] = (
        ("Número de registros leídos", number(counts.read)),
        ("Número de registros duplicados", number(counts.duplicated)),
    )
    if outcome.examined.sound:
        page = _page(
            told,
            title=title,
            tone="aceptado",
            headline="Estructura correcta",
            lead="El archivo se recibió bien. El resultado del procesamiento llega en otro mensaje.",
        )
        figures += (("Número de registros cargados", number(counts.loaded)),)
        return dataclasses.replace(
            page,
            sentence=STRUCTURE_RIGHT,
            handed_on=HANDED_ON,
            figures=figures,
            causes_line="",
            causes=(),
            rows=(),
            more="",
        )
    page = _page(
        told,
        title=title,
        tone="rechazado",
        headline="Archivo rechazado: hay que corregir su estructura",
        lead=_found(outcome) + _since(outcome),
    )
    figures += (
        ("Número de registros correctos", number(counts.correct)),
        ("Número de registros con error", number(counts.with_errors)),
        ("Número de registros cargados", "0"),
    )
    return dataclasses.replace(
        page, sentence=STRUCTURE_WRONG, figures=figures, sum=_sum(outcome), next=_RESEND + _corrected(outcome)
    )


def _since(outcome: Outcome) -> str:
    """What changed since the previous attempt, when this is not the first."""
    return f" {intentos.sentence(outcome.progress)}" if outcome.progress else ""


def _corrected(outcome: Outcome) -> str:
    """One sentence about the corrected copy, when there is one."""
    made = outcome.corrected
    if made is None:
        return ""
    left = made.examined.findings.many("error")
    if left == 0:
        return (
            " Ya está hecho en corregido.txt, en su carpeta de salida: revise en correcciones.csv qué cambió, guárdelo "
            f"con el nombre {made.name} y envíelo."
        )
    many_done = many(made.done.height, "arreglo", "arreglos")
    still = f"le {'queda' if left == 1 else 'quedan'} {many(left, 'error', 'errores')}"
    return (
        f" Parte ya está hecha en corregido.txt, en su carpeta de salida: {many_done} (vea correcciones.csv); {still}."
    )


def _found(outcome: Outcome) -> str:
    """`Se encontraron 4 errores de 3 tipos.`"""
    errors = outcome.findings.many("error")
    verb = "Se encontró" if errors == 1 else "Se encontraron"
    kinds = len({code for code, severity, _ in outcome.findings.kinds if severity == "error"})
    of = f" de {many(kinds, 'tipo', 'tipos')}" if errors > 1 else ""
    return f"{verb} {many(errors, 'error', 'errores')}{of}."


def resultado(told: Told) -> Page:
    """The second document: what became of the file."""
    outcome, counts = told.outcome, told.outcome.counts
    tone, headline, lead, sentence, following = _said(outcome)
    page = _page(told, title="Resultado de procesamiento", tone=tone, headline=headline, lead=lead + _since(outcome))
    figures = [
        ("Registros leídos", number(counts.read)),
        ("Registros correctos", number(counts.correct)),
        ("Registros con error", number(counts.with_errors)),
        ("Registros cargados", number(counts.loaded)),
        ("Advertencias", number(counts.warnings)),
    ]
    if outcome.verdict is Verdict.CARGADO:
        figures += _done(outcome)
    return dataclasses.replace(page, sentence=sentence, next=following, figures=tuple(figures), sum=_sum(outcome))


def _effect(outcome: Outcome) -> str:
    layout = outcome.examined.layout
    return layout.effect.kind if layout else "ninguno"


def _done(outcome: Outcome) -> list[tuple[str, str]]:
    """What the file did, by the effect of its annex."""
    done = outcome.changes.counts()
    if _effect(outcome) == "usuarios":
        return [
            ("Usuarios vinculados", number(done["linked"])),
            ("Usuarios actualizados", number(done["updated"])),
            ("Usuarios desvinculados", number(done["unlinked"])),
            ("Perfiles asignados (con los que van por defecto)", number(done["assigned"])),
            ("Perfiles retirados (con los de quien se desvincula)", number(done["withdrawn"])),
        ]
    if _effect(outcome) == "ninguno":
        return []
    figures = [("Registros almacenados", number(done["stored"]))]
    acts = outcome.changes.stored["accion"]
    for act, label in (("actualizar", "de ellos, actualizaciones"), ("anular", "de ellos, anulaciones")):
        if many_ := int((acts == act).sum()):
            figures.append((label, number(many_)))
    kept = outcome.facts.kept if outcome.facts else None
    if kept:
        figures.append(("Registros anteriores del mismo período, reemplazados", number(kept.rows)))
    return figures


def _said(outcome: Outcome) -> tuple[str, str, str, str, str]:
    """Tone, headline, lead, official sentence and next step of a verdict."""
    warnings = outcome.counts.warnings
    if outcome.verdict is Verdict.CARGADO:
        lead = _loaded(outcome)
        if warnings:
            lead += f" Hay {many(warnings, 'advertencia', 'advertencias')} que conviene revisar."
        return "aceptado", "Archivo cargado", lead, PROCESSED, "No tiene que hacer nada más."
    if outcome.verdict is Verdict.SIN_CAMBIOS and outcome.facts and outcome.facts.earlier:
        earlier = outcome.facts.earlier
        lead = f"Este mismo archivo ya se había cargado el {moment(earlier.received_at)} (GUID {earlier.guid})."
        following = "No tiene que hacer nada. Si quería reportar otra cosa, revise qué archivo envió."
        return "igual", "Archivo ya cargado: nada cambió", lead, PROCESSED, following
    errors = [(code, record) for code, severity, record in outcome.findings.kinds if severity == "error"]
    layout = outcome.examined.layout
    in_control = layout is not None and any(record == layout.control.name for _, record in errors)
    lead = _found(outcome)
    if any(code.startswith("REM") for code, _ in errors):
        return (
            "rechazado",
            "Archivo rechazado",
            lead,
            "El archivo No se procesó: quien lo envió no puede hacerlo",
            _SENDER,
        )
    sentence = CONTROL_AT_FAULT if in_control else RECORDS_AT_FAULT
    return "rechazado", "Archivo rechazado", lead, sentence, _RESEND


def _loaded(outcome: Outcome) -> str:
    """What a loaded file means for who sent it."""
    if _effect(outcome) == "usuarios":
        return "Los usuarios ya pueden usar PISIS Cliente Neo y los perfiles asignados."
    if _effect(outcome) == "ninguno":
        return "El archivo está correcto."
    height = outcome.changes.stored.height
    lead = f"{'Quedó' if height == 1 else 'Quedaron'} {many(height, 'registro', 'registros')} en el sistema."
    kept = outcome.facts.kept if outcome.facts else None
    if kept:
        lead += (
            f" Reemplazan los del mismo período que se habían cargado el {moment(kept.received_at)} (GUID {kept.guid})."
        )
    return lead


_SENDER = "Envíe el archivo con el usuario de una persona vinculada a la entidad. Su contenido no se revisó."


def confirmation(told: Told) -> Page:
    """The message that asks an entity to confirm its address. Nothing of the file is in it."""
    page = _page(
        told,
        title="Confirmación del correo institucional",
        tone="igual",
        headline="Confirme el correo institucional de su entidad",
        lead="Si no confirman el correo institucional registrado no podrán realizar ningún proceso.",
    )
    paragraphs = (
        "Su entidad tiene registrada esta dirección en SISPRO y todavía no la ha confirmado.",
        (
            "El representante legal o el contacto debe entrar a web.sispro.gov.co con su usuario, abrir la opción "
            "«Solicitar-Actualizar Usuario Institucional» y confirmar el correo. Después podrá enviar sus archivos."
        ),
    )
    return dataclasses.replace(
        page, paragraphs=paragraphs, causes_line="", causes=(), rows=(), more="", file_name="", who=""
    )


def our_fault(told: Told) -> Page:
    """The message about a file that we could not process."""
    page = _page(
        told,
        title="Aviso de procesamiento",
        tone="igual",
        headline="Su archivo está guardado; la falla es nuestra",
        lead="No tiene que corregir ni reenviar nada.",
    )
    paragraphs = (
        (
            "El sistema no pudo procesar el archivo por una falla interna. El archivo quedó guardado tal como llegó y "
            "se procesará de nuevo cuando la falla se corrija; el resultado le llegará a este correo."
        ),
    )
    return dataclasses.replace(page, paragraphs=paragraphs, causes_line="", causes=(), rows=(), more="")


def waiting(told: Told) -> Page:
    """The message about a file that two people must approve: why it waits, that nothing changed, what to do."""
    leaving = told.outcome.changes.counts()["unlinked"]
    users = told.outcome.facts.users if told.outcome.facts else 0
    page = _page(
        told,
        title="Aviso de archivo en espera",
        tone="igual",
        headline="Su archivo espera aprobación",
        lead=f"Desvincula a {number(leaving)} de los {many(users, 'usuario', 'usuarios')} de su entidad.",
    )
    paragraphs = (
        (
            "El archivo está bien hecho. Como desvincula a tantos usuarios a la vez, dos personas deben aprobarlo "
            "antes de que se aplique. Mientras tanto sus usuarios y perfiles siguen como estaban."
        ),
        "Si eso es lo que quería reportar, no tiene que hacer nada: el resultado le llegará a este correo.",
        (
            "Si fue un error, escriba a la Mesa de Ayuda con el GUID de este mensaje para que no lo aprueben, y "
            "envíe el archivo corregido. En su carpeta de salida, plan.csv dice quiénes saldrían."
        ),
    )
    return dataclasses.replace(page, paragraphs=paragraphs, causes_line="", causes=(), rows=(), more="")
