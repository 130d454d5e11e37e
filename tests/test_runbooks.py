"""The runbooks give orders that exist and work; the threat model names tests that exist."""

import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from conftest import GOOD
from test_service import drop
from worlds import NOW, file_of

from pisis_batch import service
from pisis_batch.cli import root
from pisis_batch.ports import Ports
from pisis_batch.validators import RULES

HOME = Path(__file__).parents[1]
RUNBOOKS = (HOME / "docs/que-hacer.md").read_text("utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", RUNBOOKS, re.DOTALL)
ORDERS = [line.partition("#")[0].strip() for block in BLOCKS for line in block.splitlines()]
SAID = [*ORDERS, *re.findall(r"`(pisis [^`]+)`", RUNBOOKS)]
#: What ends otherwise than in 0 in a workspace where all is well, and how.
ENDS = {"pisis doctor --running 9464": 3, "pisis reprocess GUID": 1, "pisis runs undo GUID": 0}


def test_every_order_is_one_that_exists() -> None:
    for order in SAID:
        words = shlex.split(order.replace("…", ""))[1:]
        group: click.Command = root
        while isinstance(group, click.Group):
            if words[0] == "-w":
                words = words[2:]
            found = group.get_command(click.Context(group), words[0])
            assert found, order
            group, words = found, words[1:]
        known = {name for option in group.params for name in option.opts}
        assert {word for word in words if word.startswith("--")} <= known, order


def test_codes_and_files_that_are_named_exist() -> None:
    told = RUNBOOKS + (HOME / "docs/amenazas.md").read_text("utf-8")
    assert set(re.findall(r"\b[A-Z]{3}\d{3}\b", told)) <= set(RULES)
    for name in re.findall(r"`(test_\w+)`", told):
        assert (HOME / f"tests/{name}.py").is_file(), name
    for place in re.findall(r"deploy/[\w.-]+", told):
        assert (HOME / place).exists(), place


def test_every_order_works(workspace: Path, ports: Ports, monkeypatch: pytest.MonkeyPatch) -> None:
    drop(workspace, file_of(GOOD))
    (outcome,) = service.once(ports)
    monkeypatch.chdir(workspace)
    monkeypatch.setenv("PISIS_NOW", NOW.isoformat())
    for order in dict.fromkeys(ORDERS):
        words = shlex.split(order.replace("GUID", outcome.received.guid[:8]))[1:]
        words = [str(workspace / word) if word.startswith("../") else word for word in words]
        words = [word.replace("../", "sub-") for word in words]
        done = CliRunner().invoke(root, words)
        assert done.exit_code == ENDS.get(order, 0), (order, done.output, done.exception)
