"""What is given to operators holds together: orders exist, metrics are the ones that are told, settings are ours."""

import json
import re
from pathlib import Path

import click
import yaml

from pisis_batch.cli import root
from pisis_batch.settings import Settings

HOME = Path(__file__).parents[1]
EXPORTED = set(re.findall(r'"(pisis_\w+)"', (HOME / "pisis_batch/adapters/prometheus.py").read_text("utf-8")))


def test_the_dashboard_asks_only_for_metrics_that_exist() -> None:
    board = json.loads((HOME / "deploy/grafana.json").read_text("utf-8"))
    asked = {
        re.sub(r"_(total|bucket)$", "", name)
        for panel in board["panels"]
        for target in panel["targets"]
        for name in re.findall(r"pisis_\w+", target["expr"])
    }
    assert asked <= EXPORTED
    assert len(board["panels"]) == 10


def test_the_compose_file_gives_orders_and_settings_that_exist() -> None:
    told = yaml.safe_load((HOME / "deploy/compose.yaml").read_text("utf-8"))
    assert set(told["services"]) >= {"database", "objects", "mail", "watcher", "worker-1", "worker-2"}
    names = {f"PISIS_{name.upper()}" for name in Settings.model_fields}
    for name in ("watcher", "worker-1", "worker-2"):
        service = told["services"][name]
        assert {key for key in service["environment"] if key.startswith("PISIS_")} <= names
        command, *options = service["command"]
        found = root.get_command(click.Context(root), command)
        assert found
        found.make_context(command, list(options))
