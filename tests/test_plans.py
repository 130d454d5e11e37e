"""What a small file asks of the database finds its rows by an index, however many others there are."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from conftest import GOOD
from test_service import drop
from worlds import file_of

from pisis_batch import service
from pisis_batch.adapters.sql_registry import SqlRegistry
from pisis_batch.ports import Ports
from pisis_batch.service import delivery

#: What grows with the years: nobody may go through all of it for the sake of one file.
GROWING = (
    *("person", "link", "profile_grant", "stored", "lane"),
    *("receipt", "run", "mail", "audit", "finding", "document"),
)
_ASKS = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")
_FROM_START = re.compile(rf"SCAN ({'|'.join(GROWING)})\b(?! USING INDEX ix_\w+_(waiting|unpublished))")
#: Nor through everybody of an entity, but for two: how many they are, and who they are, up to some thousands.
_ENTITY_WIDE = re.compile(r"SEARCH (link|profile_grant) USING (COVERING )?INDEX \w+ \(entity_id=\?\)")
_MAY = ("count(*)", "LIMIT")
#: Nor through all files that wait, but for whoever asks which they are.
_ALL_THAT_WAIT = re.compile(r"SEARCH receipt USING (COVERING )?INDEX \w+ \(state=\?( AND rowid<\?)?\)")
_WHICH_WAIT = "ORDER BY receipt.seq"
#: Nor through all messages that wait or lie in a digest, for the few that are due.
_UNSENT = re.compile(r"SEARCH mail USING INDEX ix_mail_sent_at \(sent_at=\?\)")

#: Nor through all that was ever said to an address, nor all of it that waits.
_OF_ADDRESS = re.compile(r"SEARCH \w+ USING INDEX ix_mail_recipient \(recipient=\?( AND sent_at=\?)?\)")


@pytest.fixture
def said(ports: Ports) -> Iterator[list[str]]:
    """Every statement of the service, as SQLite was given it."""
    assert isinstance(ports.registry, SqlRegistry)
    engine = ports.registry.engine
    found: list[str] = []

    def listen(connection: Any, _: Any) -> None:
        connection.set_trace_callback(found.append)

    sa.event.listen(engine, "connect", listen)
    ports.registry.close()  # connections that are there already are not listened to
    yield found
    sa.event.remove(engine, "connect", listen)


def plans(engine: sa.Engine, said: list[str]) -> dict[str, list[str]]:
    """How SQLite goes about each statement; temporary tables are made as they were."""
    found: dict[str, list[str]] = {}
    with engine.connect() as connection:
        for text in dict.fromkeys(said):
            if re.match("CREATE TEMP", text.lstrip()):
                connection.exec_driver_sql(re.sub("IF NOT EXISTS", "", text).replace("TABLE", "TABLE IF NOT EXISTS", 1))
            elif text.lstrip().startswith(_ASKS):
                found[text] = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}")]
    return found


def test_no_statement_goes_through_a_whole_table(workspace: Path, ports: Ports, said: list[str]) -> None:
    verdicts = []
    for content in (GOOD, GOOD.replace("JUAN", "J1AN", 1)):
        drop(workspace, file_of(content))
        (outcome,) = service.once(ports)
        service.publish(ports)
        service.deliver(ports)
        verdicts.append(outcome.verdict)
        ports.registry.ahead(outcome.received.guid)
    assert isinstance(ports.registry, SqlRegistry)
    found = plans(ports.registry.engine, said)
    assert verdicts == ["cargado", "rechazado"]
    assert len(found) > 60, "much of what is said was not heard"
    whole = {
        text: plan
        for text, plan in found.items()
        if any(_FROM_START.match(step) or _UNSENT.match(step) for step in plan)
    }
    whole |= {
        text: plan
        for text, plan in found.items()
        if any(map(_ENTITY_WIDE.match, plan)) and not any(may in text for may in _MAY)
    }
    whole |= {
        text: plan
        for text, plan in found.items()
        if any(map(_ALL_THAT_WAIT.match, plan)) and not text.endswith(_WHICH_WAIT)
    }
    assert not whole, "\n".join(f"{text}\n  {plan}" for text, plan in whole.items())


def test_a_flood_is_found_among_what_is_due(
    workspace: Path, ports: Ports, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "MOST_AN_HOUR", 0)
    for _ in range(2):  # one that is told, and one that waits for the next hour
        drop(workspace, file_of(GOOD.replace("JUAN", "J1AN", 1)))
        assert service.once(ports)
        service.deliver(ports)
    assert isinstance(ports.registry, SqlRegistry)
    found = plans(ports.registry.engine, said)
    assert any("ix_mail_digest" in step for plan in found.values() for step in plan)
    assert any("ix_mail_waiting" in step for plan in found.values() for step in plan)
    whole = {text: plan for text, plan in found.items() if any(map(_OF_ADDRESS.match, plan))}
    assert not whole, "\n".join(f"{text}\n  {plan}" for text, plan in whole.items())
