"""The short version of `make chaos`: a round with real processes on hosts of their own."""

import dataclasses

import pytest
from chaos import aims, campaign, checker, ledger, world
from chaos.defects import DEFECTS
from postgresql import PostgreSQL

PLAN = campaign.Plan(
    workers=2, watchers=1, entities=3, files=5, seconds=8, every=1.0, patience=90, crashes=False, skews=()
)


def test_nothing_is_lost_doubled_or_out_of_order_while_hosts_die(postgresql: PostgreSQL) -> None:
    done = campaign.run(PLAN, 3, postgresql)
    verdict, harm = done.verdict, done.harm
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
def test_every_planted_defect_says_what_it_takes_away_and_has_a_round_of_its_own(name: str) -> None:
    assert DEFECTS[name].__doc__
    assert set(aims.AIMS[name].shows) <= {field.name for field in dataclasses.fields(checker.Verdict)}


def test_the_page_of_chaos_is_what_the_ledger_says() -> None:
    assert ledger.PAGE.read_text("utf-8") == ledger.page(ledger.read())
