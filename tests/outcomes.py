"""Files judged, one of each end, that documents and messages are made of."""

import dataclasses

from worlds import CONTROL, NAME, NOW, facts, file_of

from pisis_batch import pipeline
from pisis_batch.layouts import shelf
from pisis_batch.model import Earlier, Limits, Outcome, Received

GUID = "e70e425b-9264-4385-8660-8aa9c25f1bda"
FROM = "PISIS <no-responder@pisis.example>"
GOOD = "2|1|CC|1090000001|JUAN|PEREZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO"
PAYLOAD = "<script>alert(1)</script>"
HOSTILE = "2|1|CC|=1+1|@SUM(A1)|https://x.example|V|mailto:a@b.co|-MEDICO|1||A@E.CO\n2|2|CC|12\\x00\\x0b|\\t=1|_x0041_|V|1|2|1||x"


def judged(lines: str, *, name: str = NAME, **said: object) -> Outcome:
    received = Received(GUID, name, file_of(lines), NOW, "CC10000001")
    examined = pipeline.examine(received, shelf(), Limits())
    known = dataclasses.replace(facts(), **said)  # type: ignore[arg-type]
    return pipeline.judge(examined, known) if examined.sound else pipeline.conclude(examined, known)


OUTCOMES = {
    "cargado": judged(GOOD),
    "sin-cambios": judged(GOOD, earlier=Earlier("0f0f0f0f-0000-4000-8000-000000000001", NOW)),
    "contenido": judged("2|1|CC|1090000009|ANA|RUIZ|O|||||\n2|2|CC|12|EVA|DIAZ|O|||||"),
    "control": judged(CONTROL.format(total=1).replace("HOSPITAL", "CLINICA") + "\n" + GOOD),
    "estructura": judged(GOOD.replace("JUAN|", "Juan|") + "\n2|3|CC|1090000002|ANA|RUIZ|X|||||"),
    "falla": dataclasses.replace(pipeline.broken(Received(GUID, NAME, b"", NOW, "CC10000001"), shelf()), facts=facts()),
}
