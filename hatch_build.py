"""Compiles `walk.c` when the package is built or installed in place; without a compiler large files are read slower."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCE, LIBRARY = "pisis_batch/walk.c", "pisis_batch/walk.so"


def compilers() -> list[list[str]]:
    """Commands that may compile C: the one that was named, those of the machine, and the one that comes as a wheel."""
    named = [os.environ["CC"].split()] if os.environ.get("CC") else []
    return [
        *named,
        *([found] for name in ("cc", "gcc", "clang") if (found := shutil.which(name))),
        [sys.executable, "-m", "ziglang", "cc"],
    ]


def compiled(root: Path) -> bool:
    """Whether the library is there now."""
    made = root / f"{LIBRARY}.new"
    for compiler in compilers():
        command = [*compiler, "-O3", "-shared", "-fPIC", str(root / SOURCE), "-o", str(made)]
        if subprocess.run(command, capture_output=True, check=False).returncode == 0:
            made.replace(root / LIBRARY)  # whoever has the old one loaded keeps it
            return True
    return False


class Walk(BuildHookInterface):  # type: ignore[type-arg] # the configuration of a plugin that has none
    """The library beside its source, and a wheel for this kind of machine."""

    def initialize(self, _version: str, build_data: dict[str, Any]) -> None:
        """Before the files are gathered."""
        if not compiled(Path(self.root)):
            print(
                f"no C compiler: {SOURCE} was not compiled, and large files will be read the slower way",
                file=sys.stderr,
            )
            return
        build_data["artifacts"].append(LIBRARY)
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"
