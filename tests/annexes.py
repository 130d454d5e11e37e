"""Small annexes of ours that no built-in layout repeats: one per kind of effect."""

APORTES = """
annex = "XYZ100APOR"
version = "1"
valid_from = 2026-01-01
title = "Aportes de prueba"
file_name = "XYZ100APOR{fecha_final:AAAAMMDD}NI{nit:012}.TXT"
order = ["cabeza", "aporte"]
total = { field = "cabeza.total", over = ["aporte"] }
entity = { type = "NI", number = "nit" }
cut_date = "fecha_final"
[record.cabeza]
label = "Control"
occurs = "1"
fields = [
  { name = "marca", label = "Tipo de registro", is = "1" },
  { name = "nit", label = "NIT", type = "N", max = 12 },
  { name = "fecha_final", label = "Fecha final", type = "F" },
  { name = "total", label = "Total", type = "N", max = 5 },
]
[record.aporte]
label = "Aportes"
unique = ["numero"]
fields = [
  { name = "marca", label = "Tipo de registro", is = "2" },
  { name = "numero", label = "Número", type = "A", max = 12 },
  { name = "valor", label = "Valor", type = "D", max = 9, decimals = 2 },
]
"""
#: The same with lines that insert, update or annul what was stored before.
NOVEDADES = (
    APORTES.replace("XYZ100APOR", "XYZ100NOVE")
    .replace("[record.cabeza]", '[effect]\nkind = "registros"\nreplaces = "nada"\n[record.cabeza]', 1)
    .replace(
        'unique = ["numero"]',
        'unique = ["numero"]\naction = { field = "accion", insert = "I", update = "A", annul = "E", none = "NA" }',
    )
    .replace(
        '  { name = "valor"',
        '  { name = "accion", label = "Acción", type = "A", max = 2, '
        'values = { I = "insertar", A = "actualizar", E = "anular", NA = "no aplica" } },\n  { name = "valor"',
    )
)

_HEAD = """
annex = "ANNEX"
version = "1"
valid_from = 2026-01-01
title = "Anexo de prueba"
file_name = "ANNEX{corte:AAAAMMDD}NI{nit:012}.TXT"
order = ["control", "dato"]
entity = { type = "NI", number = "nit" }
cut_date = "corte"
[record.control]
label = "Control"
occurs = "1"
fields = [
  { name = "marca", label = "Tipo", is = "1" },
  { name = "nit", label = "NIT", type = "N", max = 12, min = 3 },
  { name = "corte", label = "Corte", type = "F" },
]
[record.dato]
label = "Datos"
fields = [
  { name = "marca", label = "Tipo", is = "2" },
"""


def of_cells(annex: str, fields: str) -> str:
    """An annex of one detail record, with these fields, a line of TOML each, behind its mark."""
    return f"{_HEAD.replace('ANNEX', annex)}{fields}]\n"
