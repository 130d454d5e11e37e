"""FIR: digital signatures of files, where the installation asks for them. Raised by what `signing` finds."""

from __future__ import annotations

from pisis_batch.frames import texts
from pisis_batch.model import Batch, Facts
from pisis_batch.validators.rule import NOTHING, Found, rule

#: The facts of the rules' sentences.
COLUMNS = texts("motivo", "fecha", "nit")
_SIGN_AGAIN = "Firme de nuevo el archivo tal como lo envía, como archivo binario, y envíe juntos el archivo y su firma."


@rule(
    "FIR001",
    title="Archivo sin firma",
    es="El archivo no viene firmado digitalmente",
    en="The file is not digitally signed",
    cause="No llegó una firma con el nombre del archivo y la terminación .p7s, o llegó demasiado tarde.",
    remedy="Envíe el archivo y, a su lado, su firma: el mismo nombre terminado en .p7s. O envíelo dentro de su firma, .p7m.",
    source="Q15",
    since="0.2.0",
)
def not_signed(batch: Batch, facts: Facts) -> Found:
    """The file is signed.

    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|O|||||
    """
    return NOTHING


@rule(
    "FIR002",
    title="Firma sin su archivo",
    es="Llegó una firma y no el archivo que firma",
    en="A signature came, and not the file that it signs",
    cause="El archivo no se envió, llegó mucho antes que su firma, o los nombres no son iguales.",
    remedy="Envíe juntos el archivo y su firma: el mismo nombre, y la firma terminada en .p7s.",
    source="Q15",
    since="0.2.0",
)
def without_its_file(batch: Batch, facts: Facts) -> Found:
    """A signature comes with what it signs.

    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|O|||||
    """
    return NOTHING


@rule(
    "FIR003",
    title="Firma que no se puede leer",
    es="La firma no se puede leer: {motivo}",
    en="The signature cannot be read: {motivo}",
    cause="Lo que llegó como firma no es una firma CMS (PKCS#7) de un solo firmante con su certificado.",
    remedy=_SIGN_AGAIN,
    source="Q15",
    since="0.2.0",
)
def unreadable(batch: Batch, facts: Facts) -> Found:
    """The signature is a CMS structure of one signer.

    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|O|||||
    """
    return NOTHING


@rule(
    "FIR004",
    title="La firma no corresponde al archivo",
    es="La firma no corresponde al archivo recibido: {motivo}",
    en="The signature does not belong to the file received: {motivo}",
    cause="El archivo se modificó después de firmarlo, se firmó otro, o el programa de firma cambió los fines de línea.",
    remedy=_SIGN_AGAIN,
    source="Q15",
    since="0.2.0",
)
def broken(batch: Batch, facts: Facts) -> Found:
    """The signature is of these very bytes.

    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|O|||||
    """
    return NOTHING


@rule(
    "FIR005",
    title="Certificado vencido",
    es="El certificado con que se firmó venció el {fecha}, antes de que llegara el archivo",
    en="The signing certificate expired on {fecha}, before the file arrived",
    cause="La vigencia se mira el día en que se recibe el archivo, no el día en que se firmó.",
    remedy="Renueve el certificado con su entidad de certificación y firme de nuevo.",
    source="Q15",
    since="0.2.0",
)
def expired(batch: Batch, facts: Facts) -> Found:
    """The certificate was valid on reception.

    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|O|||||
    """
    return NOTHING


@rule(
    "FIR006",
    title="Certificado todavía no vigente",
    es="El certificado con que se firmó rige desde el {fecha}, después de que llegó el archivo",
    en="The signing certificate is valid from {fecha} on, after the file arrived",
    cause="Se firmó con un certificado cuya vigencia no ha comenzado.",
    remedy="Firme con un certificado vigente, o envíe el archivo cuando el nuevo rija.",
    source="Q15",
    since="0.2.0",
)
def not_yet(batch: Batch, facts: Facts) -> Found:
    """The certificate was valid on reception.

    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|O|||||
    """
    return NOTHING


@rule(
    "FIR007",
    title="Certificado revocado",
    es="El certificado con que se firmó fue revocado el {fecha}",
    en="The signing certificate was revoked on {fecha}",
    cause="La entidad de certificación lo anuló, a pedido de su titular o por otra causa.",
    remedy="Firme con un certificado vigente de la entidad. Si no sabía de la revocación, consulte a quien lo expidió.",
    source="Q15",
    since="0.2.0",
)
def revoked(batch: Batch, facts: Facts) -> Found:
    """The certificate was not revoked on reception.

    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|O|||||
    """
    return NOTHING


@rule(
    "FIR008",
    title="Certificado en el que no se confía",
    es="El certificado con que se firmó no se acepta: {motivo}",
    en="The signing certificate is not accepted: {motivo}",
    cause="No lo expidió una entidad de certificación abierta reconocida por el receptor, o es para otro uso.",
    remedy="Firme con un certificado de firma expedido por una entidad de certificación acreditada en Colombia.",
    source="Q15",
    since="0.2.0",
)
def not_trusted(batch: Batch, facts: Facts) -> Found:
    """A known authority stands for the certificate.

    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|O|||||
    """
    return NOTHING


@rule(
    "FIR009",
    title="Certificado de otra entidad",
    es="El certificado con que se firmó es de otra entidad (NIT {nit}) y no de la que reporta el archivo",
    en="The signing certificate belongs to another entity (NIT {nit}), not to the one of the file",
    cause="El NIT del certificado no es el número de identificación de la entidad que dice el archivo.",
    remedy="Firme con el certificado de la entidad que reporta.",
    source="Q15",
    since="0.2.0",
)
def other_entity(batch: Batch, facts: Facts) -> Found:
    """The certificate names the entity of the file.

    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|O|||||
    """
    return NOTHING


@rule(
    "FIR010",
    title="Firma con un algoritmo débil",
    es="La firma usa un algoritmo que ya no es seguro: {motivo}",
    en="The signature uses an algorithm that is no longer safe: {motivo}",
    cause="MD5, SHA-1 y las llaves cortas se pueden falsificar.",
    remedy="Configure el programa de firma con SHA-256 y una llave RSA de 2048 bits o más.",
    source="Q15",
    since="0.2.0",
)
def weak(batch: Batch, facts: Facts) -> Found:
    """The signature cannot be forged.

    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|O|||||
    """
    return NOTHING


@rule(
    "FIR011",
    title="Revocación sin comprobar",
    es="No se pudo comprobar si el certificado fue revocado: {motivo}",
    en="Whether the certificate was revoked could not be checked: {motivo}",
    cause="Falta la lista de revocación de la entidad de certificación, o la que tiene el receptor está vencida.",
    remedy="No tiene que hacer nada: la Mesa de Ayuda debe actualizar las listas de revocación.",
    source="Q15",
    since="0.2.0",
)
def revocation_unknown(batch: Batch, facts: Facts) -> Found:
    """A current list tells whether the certificate was revoked.

    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|O|||||
    """
    return NOTHING
