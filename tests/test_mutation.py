"""A few mutants of the rules, each of which some example or case must notice; `make mutation` tries all of them."""

import mutation
import pytest

#: Where every mutant of these rules dies; the others are measured by `make mutation`.
_TIGHT = ["calendario", "perfiles", "remitente", "usuarios"]


@pytest.mark.parametrize("name", _TIGHT)
def test_a_turned_condition_does_not_survive(name: str) -> None:
    tried, left = mutation.survivors([f"pisis_batch.validators.{name}"], every=8)
    assert tried > 0
    assert [(one.line, one.what) for one in left] == []


def test_most_mutants_of_all_rules_die() -> None:
    tried, left = mutation.survivors(mutation.MODULES, every=36)
    assert tried >= 8
    assert len(left) <= 0.3 * tried, [(one.module, one.line, one.what) for one in left]


def test_the_real_rules_are_back_after_a_mutant() -> None:
    before = dict(mutation.RULES)
    one = next(mutation.mutants("pisis_batch.validators.usuarios"))
    with mutation.mutated(one) as codes:
        assert "USR030" in codes
        assert mutation.RULES["USR030"] is not before["USR030"]
    assert dict(mutation.RULES) == before
    assert list(mutation.RULES) == list(before)
