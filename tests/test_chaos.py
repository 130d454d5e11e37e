"""The short version of `make chaos`: a round with real processes on hosts of their own, and one planted defect."""

import pytest
from chaos import campaign, checker, world
from chaos.defects import DEFECTS
from postgresql import PostgreSQL

PLAN = campaign.Plan(
    workers=2, watchers=1, entities=3, files=5, seconds=8, every=1.0, patience=60, crashes=False, skews=()
)


def test_nothing_is_lost_doubled_or_out_of_order_while_hosts_die(postgresql: PostgreSQL) -> None:
    verdict, harm = campaign.run(PLAN, 3, postgresql)
    assert verdict.well, verdict.details
    assert verdict.files == 15
    assert verdict.quarantined == 0
    assert sum(harm.values()) >= 4


def test_the_checker_sees_what_it_is_for(postgresql: PostgreSQL) -> None:
    with world.made(entities=1, files=2, lease=3, server=postgresql) as made:
        verdict = checker.check(made, 2)
    assert verdict.lost == 2
    assert not verdict.well


@pytest.mark.parametrize("name", sorted(DEFECTS))
def test_every_planted_defect_says_what_it_takes_away(name: str) -> None:
    assert DEFECTS[name].__doc__
