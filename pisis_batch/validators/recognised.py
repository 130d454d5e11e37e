"""`trust` for a large file: the persons that the rules must look at, told by 64-bit numbers (`fingerprints`).

Sound, not complete, as there: whoever is not named here has only lines that repeat the registry or ask for what may be
granted (`tests/test_recognised.py` holds it to `trust`).
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import polars as pl

from pisis_batch import fingerprints
from pisis_batch.model import Batch, Facts, Index, Persons
from pisis_batch.validators.trust import enabled

_STRETCH, _AT_ONCE = 125_000, 2  # lines looked at together, to spare memory; stretches at a time


def doubtful_persons(batch: Batch, facts: Facts) -> np.ndarray | None:
    """Hashes of the persons to look at, sorted; None: everybody."""
    figures, index = batch.figures, facts.index
    if figures is None or index is None or facts.entity is None or figures.today != facts.today:
        return None
    held = index.held
    users, profiles = figures.people.get("usuario"), figures.people.get("perfil")
    if users is None or users.said is None or (len(held) > 1 and bool((held[1:] == held[:-1]).any())):
        return None
    leaving = users.who[fingerprints.takes(users.said)]
    leaving.sort()
    unnamed = _unnamed(users, index)
    whom = [users.who[fingerprints.among(fingerprints.what(users.said), unnamed)]] if len(unnamed) else []
    whom.append(fingerprints.left_over(leaving, [index.linked]))
    if profiles is not None:
        whom += _not_fine(profiles, index, enabled(facts))
        whom.append(_without_user(profiles, users.who, leaving, index))
    return fingerprints.distinct(np.sort(np.concatenate(whom)))


def _unnamed(users: Persons, index: Index) -> np.ndarray:
    """What users' lines say that nobody in the registry is."""
    known = [index.persons]
    return fingerprints.in_shares(lambda some: fingerprints.left_over(fingerprints.what(some), known), users.said)


def _not_fine(profiles: Persons, index: Index, pairs: list[str]) -> list[np.ndarray]:
    """The persons of lines that ask for what may not be granted, or replace or withdraw what is not as it was."""
    if profiles.said is None:
        return [profiles.who]
    may = pl.DataFrame([pair.split("|", 1) for pair in pairs], list(fingerprints.GRANTED), orient="row")
    grantable = fingerprints.registered(may.cast(pl.String), fingerprints.GRANTED)

    def doubtful(start: int) -> np.ndarray:
        key, said = (those[start : start + _STRETCH] for those in (profiles.key, profiles.said))
        asked, withdraws = fingerprints.what(said), fingerprints.takes(said)
        doubt = ~withdraws & ~fingerprints.among(asked, grantable)
        doubt[withdraws] = ~fingerprints.among_ranked(key[withdraws], index.held)
        own = fingerprints.granted(key, asked)
        new = ~withdraws & fingerprints.among(own, fingerprints.left_over(np.sort(own), [index.granted]))
        doubt[new] |= fingerprints.among_ranked(key[new], index.held)
        found: np.ndarray = profiles.who[start : start + _STRETCH][doubt]
        return found

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(doubtful, range(0, len(profiles.who), _STRETCH)))


def _without_user(profiles: Persons, who: np.ndarray, leaving: np.ndarray, index: Index) -> np.ndarray:
    """The persons of profiles' lines that are not linked here and not among the users, or that leave."""

    def doubtful(some: np.ndarray, users: np.ndarray) -> np.ndarray:
        nobody = fingerprints.left_over(some, [users, index.linked])
        return np.concatenate([nobody, some[fingerprints.found_in(some, leaving)]])

    return fingerprints.in_shares(doubtful, profiles.who, who)
