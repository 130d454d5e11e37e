"""`trust` for a large file: the persons that the rules must look at, told by 64-bit numbers (`fingerprints`).

Sound, not complete, as there: whoever is not named here has only lines that repeat the registry or ask for what may be
granted (`tests/test_recognised.py` holds it to `trust`).
"""

import numpy as np
import polars as pl

from pisis_batch import fingerprints
from pisis_batch.model import Batch, Facts, Index, Persons
from pisis_batch.validators.trust import enabled


def doubtful_persons(batch: Batch, facts: Facts) -> np.ndarray | None:
    """Hashes of the persons to look at, sorted; None: everybody."""
    figures, index = batch.figures, facts.index
    if figures is None or index is None or facts.entity is None or figures.today != facts.today:
        return None
    held = index.held["hash"].to_numpy()
    users, profiles = figures.people.get("usuario"), figures.people.get("perfil")
    if users is None or users.said is None or (len(held) > 1 and bool((held[1:] == held[:-1]).any())):
        return None
    said, leaves = fingerprints.unpacked(users.said)
    unnamed = fingerprints.strangers(said, index.persons["hash"].to_numpy())
    linked = index.linked["hash"].to_numpy()
    whom = [users.who[fingerprints.among(said, unnamed)], fingerprints.strangers(users.who[leaves], linked)]
    if profiles is not None:
        whom.append(_holders(profiles, users.who[~leaves], users.who[leaves], index, enabled(facts)))
    return np.unique(np.concatenate(whom))


def _holders(profiles: Persons, coming: np.ndarray, leaving: np.ndarray, index: Index, pairs: list[str]) -> np.ndarray:
    """The persons of profiles' lines that are not fine."""
    if profiles.said is None:
        return np.asarray(profiles.who)
    what, withdraws = fingerprints.unpacked(profiles.said)
    may = pl.DataFrame({"pair": pairs}, schema={"pair": pl.String})
    fine = fingerprints.among(what, fingerprints.registered(may, ["pair"]))
    held = fingerprints.among(profiles.key, index.held["hash"].to_numpy())
    own = fingerprints.among(fingerprints.granted(profiles.key, what), index.granted["hash"].to_numpy())
    right: np.ndarray = np.where(withdraws, held, fine & (~held | own))
    nobody = fingerprints.strangers(profiles.who, np.sort(np.concatenate([coming, index.linked["hash"].to_numpy()])))
    gone = profiles.who[fingerprints.among(profiles.who, leaving)]
    return np.concatenate([profiles.who[~right], nobody, gone])
