"""Room on disk for what is too large for memory, in files without a name."""

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from pisis_batch.adapters import mapped
from pisis_batch.model import Content
from pisis_batch.ports import Sorted


class FolderScratch:
    """Fulfils `ports.Scratch` in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def rows(self) -> Sorted:
        """Room for rows."""
        from pisis_batch.adapters.spool import Spool  # noqa: PLC0415 few ask for it

        return Spool(self._folder)

    def content(self, parts: Iterable[bytes]) -> Content:
        """Parts as one content: a large one stays on disk."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=self._folder) as file:
            for part in parts:
                file.write(part)
            size = file.tell()
            file.seek(0)
            if size < mapped.LARGE:
                return file.read()
            return mapped.MappedFile(os.fdopen(os.dup(file.fileno()), "rb"))
