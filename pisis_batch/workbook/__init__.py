"""An annex as an Excel workbook: a sheet per record to fill in, and back again to the flat file.

What a person need not type is left out of the sheets and put in when the file is made: marks, consecutives, totals, and
whatever repeats the control record or the name of the file.
"""

from pisis_batch.workbook.build import Built, annex_of, build
from pisis_batch.workbook.template import template

__all__ = ["Built", "annex_of", "build", "template"]
