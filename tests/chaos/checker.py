"""The history that the registry keeps, held against what was dropped."""

import dataclasses
from collections import Counter, defaultdict
from typing import Any

import sqlalchemy as sa

from chaos.world import World
from pisis_batch.adapters.sql_tables import entity, link, mail, receipt, run

_MAILS = 4  # Acta and Resultado, to the sender and to the entity


@dataclasses.dataclass(slots=True)
class Verdict:
    """What was found; all but the first two must be 0."""

    files: int = 0
    quarantined: int = 0
    lost: int = 0
    doubled: int = 0
    disordered: int = 0
    unreported: int = 0
    open_links: int = 0
    details: list[str] = dataclasses.field(default_factory=list)

    @property
    def well(self) -> bool:
        return not (self.lost or self.doubled or self.disordered or self.unreported or self.open_links)

    def note(self, kind: str, text: str) -> None:
        setattr(self, kind, getattr(self, kind) + 1)
        self.details.append(f"{kind}: {text}")


def check(world: World, dropped: int) -> Verdict:
    """Every file once, in order, and told; by entity."""
    found = Verdict(files=dropped * len(world.entities))
    with world.registry.engine.connect() as connection:
        receipts = connection.execute(sa.select(receipt).order_by(receipt.c.lane_place)).all()
        runs = connection.execute(sa.select(run).order_by(run.c.id)).all()
        # what a row said before it changed is written as it changes, and the row itself says what is true last
        in_turn = (link.c.valid_to.is_(None), link.c.id)
        named = sa.select(entity.c.num_id.label("of"), link).join(entity, entity.c.id == link.c.entity_id)
        links = connection.execute(named.order_by(*in_turn)).all()
        mails = Counter(connection.scalars(sa.select(mail.c.guid).where(mail.c.sent_at.is_not(None))))
    by_lane, history, of_receipt = defaultdict(list), defaultdict(list), defaultdict(list)
    for row in receipts:
        by_lane[row.lane].append(row)
    for row in links:
        history[row.of].append(row)
    for place, row in enumerate(runs):
        of_receipt[row.guid].append(place)
    for number in world.entities:
        _entity(found, number, dropped, by_lane[f"NI {number}"], history[number])
    for lane, rows in by_lane.items():
        ended = [place for row in rows for place in of_receipt[row.guid]]
        if ended != sorted(ended):
            found.note("disordered", f"verdicts of {lane} are not in order of arrival")
    for row in receipts:
        _receipt(found, row, len(of_receipt[row.guid]))
    _told(found, world, [row for row in receipts if row.state == "terminado"], mails)
    return found


def _receipt(found: Verdict, row: Any, verdicts: int) -> None:
    if row.state == "cuarentena":
        found.quarantined += 1
    elif row.state != "terminado":
        found.note("lost", f"{row.file_name} is still {row.state}")
    if verdicts > 1:
        found.note("doubled", f"{row.file_name} has {verdicts} verdicts")


def _told(found: Verdict, world: World, ended: list[Any], mails: Counter[str]) -> None:
    outbox = {path.parent.name for path in world.root.glob("outbox/*/*/ack.json")}
    messages = Counter(path.name.split("-")[1] for path in (world.root / "outbox/correo").glob("*.eml"))
    for row in ended:
        if row.guid not in outbox:
            found.note("unreported", f"{row.file_name} has no documents in the outbox")
        marked, sent = mails[row.guid], messages[row.guid[:8]]
        if (marked, sent) != (_MAILS, _MAILS):
            found.note("unreported", f"{row.file_name}: {marked} mails marked as sent, {sent} sent")


def _entity(found: Verdict, number: str, dropped: int, receipts: list[Any], history: list[Any]) -> None:
    names = [row.file_name for row in receipts]
    for name, times in Counter(names).items():
        if times > 1:
            found.note("doubled", f"{name} was received {times} times")
    if len(set(names)) < dropped:
        found.note("lost", f"{number}: {dropped - len(set(names))} files were never received")
    if names != sorted(names):
        found.note("disordered", f"{number}: received out of order")
    posts = [int(row.cargo.removeprefix("PUESTO ")) for row in history]
    held = {row.file_name for row in receipts if row.state == "cuarentena"}
    wanted = [place for place in range(dropped) if len(held) == 0 or place in posts]
    if posts != sorted(posts):
        found.note("disordered", f"{number}: applied as {posts}")
    for place, times in Counter(posts).items():
        if times > 1:
            found.note("doubled", f"{number}: file {place} was applied {times} times")
    missing = set(wanted) - set(posts)
    if missing:
        found.note("lost", f"{number}: never applied {sorted(missing)}")
    if history and sum(row.valid_to is None for row in history) != 1:
        found.note("open_links", f"{number}: {sum(row.valid_to is None for row in history)} open links")
