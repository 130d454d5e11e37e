"""A start loads what it uses and nothing else: help is immediate, a check waits for no database and no mail."""

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from conftest import GOOD
from worlds import NAME, file_of

from pisis_batch import pipeline, writing
from pisis_batch.adapters.sql_registry import SqlRegistry
from pisis_batch.layouts import shelf
from pisis_batch.ports import Ports

#: Modules that take long to load, each with what it is for.
HEAVY = (
    "polars",
    "pandera",
    "sqlalchemy",
    "alembic",
    "pydantic",
    "jinja2",
    "css_inline",
    "aiosmtplib",
    "rich",
    "numpy",
)
_SCRIPT = """
import sys
sys.argv = ["pisis", *sys.argv[1:]]
from pisis_batch.cli import main
try:
    main()
except SystemExit:
    pass
print("\\nLOADED", *sorted(sys.modules), file=sys.stderr)
"""
#: The same where every file is taken for a large one.
_SCRIPT_LARGE = _SCRIPT.replace(
    "try:", "from pisis_batch import pipeline\npipeline.MIDDLING = pipeline.LARGE = 0\ntry:", 1
)


def loaded(folder: Path, *arguments: str, script: str = _SCRIPT) -> set[str]:
    """The modules that a command leaves loaded."""
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "COLUMNS": "100"},
    )
    return set(done.stderr.rsplit("LOADED", 1)[1].split())


def test_help_loads_nothing_heavy(tmp_path: Path) -> None:
    assert loaded(tmp_path, "--help") & set(HEAVY) == set()


#: What a check without a workspace never loads: it reads, judges and tells, and nothing more.
_NOT_FOR_A_CHECK = {
    *("pandera", "sqlalchemy", "alembic", "jinja2", "css_inline", "aiosmtplib", "structlog", "watchdog", "numpy"),
    *("stdnum", "rapidfuzz", "xlsxwriter", "pisis_batch.judging", "pisis_batch.ports"),
}


@pytest.mark.parametrize("extra", [[], ["--offline"]])
def test_a_check_of_a_right_file_loads_what_reads_and_judges_and_nothing_else(tmp_path: Path, extra: list[str]) -> None:
    (tmp_path / NAME).write_bytes(file_of("2|1|CC|1090000001|JUAN|PEREZ|O|||||"))
    found = loaded(tmp_path, "check", *extra, NAME)
    assert (
        found & {*_NOT_FOR_A_CHECK, "polars", "pydantic", "rich", "pisis_batch.reports", "pisis_batch.causes"} == set()
    )


def test_a_file_of_every_annex_can_be_told_right_without_a_frame(tmp_path: Path) -> None:
    """Where the annex asks for nothing that only the rule table can tell."""
    names = []
    for layout in filter(None, map(shelf().get, ("SEG500USIN", "DIS113DVEN", "DIS123DVEN"))):
        name, content = writing.sample(layout, 10, cut=date(2026, 7, 15))
        (tmp_path / name).write_bytes(content)
        names.append(name)
    assert loaded(tmp_path, "check", *names) & {"polars", "pydantic"} == set()


def test_a_right_file_that_is_walked_needs_no_frame_either(tmp_path: Path) -> None:
    layout = shelf().get("SEG500USIN")
    assert layout is not None
    name, content = writing.sample(layout, 11_000, cut=date(2026, 7, 15))
    assert len(content) > pipeline.MIDDLING
    (tmp_path / name).write_bytes(content)
    found = loaded(tmp_path, "check", "--offline", name)
    assert found & {"polars", "pydantic", "sqlalchemy"} == set()
    assert "pisis_batch.walking" in found


def test_a_check_that_finds_something_loads_no_database_no_mail_and_no_templates(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(file_of("2|1|CC|1090000001|JUAN|perez|O|||||"))
    found = loaded(tmp_path, "check", "--format", "json", NAME)
    assert found & (_NOT_FOR_A_CHECK - {"stdnum", "rapidfuzz", "xlsxwriter"}) == set()
    assert "pisis_batch.causes" in found


#: What a check in a workspace loads no more than one without: the database's driver is enough to ask.
_NOT_TO_ASK = {
    *("sqlalchemy", "alembic", "pandera", "jinja2", "aiosmtplib", "structlog", "rich.markdown"),
    *("pisis_batch.adapters.sql_tables", "pisis_batch.adapters.sql_registry", "pisis_batch.adapters.sql_gathering"),
}


def test_a_check_in_a_workspace_asks_the_database_with_its_driver_alone(workspace: Path) -> None:
    (workspace / NAME).write_bytes(file_of("2|1|CC|1090000001|JUAN|PEREZ|O|||||"))
    found = loaded(workspace, "check", NAME)
    assert {"sqlalchemy", "alembic"} <= found  # the tables are made
    found = loaded(workspace, "check", NAME)
    assert found & {*_NOT_TO_ASK, "numpy"} == set()
    assert "pisis_batch.adapters.sqlite_asking" in found


def test_a_large_file_is_checked_against_kept_numbers_without_sqlalchemy(workspace: Path, ports: Ports) -> None:
    """As large as a large one is here."""
    assert isinstance(ports.registry, SqlRegistry)
    (workspace / NAME).write_bytes(file_of(GOOD))
    found = loaded(workspace, "check", NAME, script=_SCRIPT_LARGE)
    assert {"sqlalchemy", "pisis_batch.adapters.sql_gathering"} <= found  # the numbers are made
    found = loaded(workspace, "check", NAME, script=_SCRIPT_LARGE)
    assert found & _NOT_TO_ASK == set()
    assert {"pisis_batch.adapters.sql_numbers", "pisis_batch.validators.recognised"} <= found
