"""Trials of a threshold card: of speakers whom nothing in the bundle was made with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from asdkit.base.errors import AsdkitError, DataError
from asdkit.base.numbers import parse_finite
from asdkit.inference.bundle import Bundle
from asdkit.inference.bundle_sources import Sources
from asdkit.inference.card import Group, make_card
from asdkit.inference.conditions import measure_conditions
from asdkit.io.tables import PathName, read_table
from asdkit.io.trials import Trials, read_trials
from asdkit.verification.calibration_inputs import read_systems

ADULT = 18  # years
SEXES = {"f": "women and girls", "m": "men and boys"}
SHAPED = (
    "Durations are cut from the middle of {0} test recordings; noise has the spectrum "
    "of the recording itself; refused: too little speech for the bundle to decide."
)


class CardTrials(NamedTuple):
    """Trials, and who speaks in them.

    Attributes:
        folder: data directory.
        path: file of the trials.
        trials: N pairs.
        llrs: (N,) calibrated scores of whole recordings.
        spk_of: the speaker of every utterance.
        notes: what is not known about the speakers.
    """

    folder: Path
    path: PathName
    trials: Trials
    llrs: np.ndarray
    spk_of: Mapping[str, str]
    notes: tuple[str, ...]

    @property
    def spk(self) -> np.ndarray:
        """(N, 2) speakers of both sides."""
        sides = (
            [self.spk_of[ids[row]] for row in rows]
            for ids, rows in (
                (self.trials.enroll_ids, self.trials.enroll),
                (self.trials.test_ids, self.trials.test),
            )
        )
        return np.array([*zip(*sides, strict=True)])


def read_card_trials(sources: Sources, model: Any) -> CardTrials | None:
    """Read the trials of a card; None: no card is asked for.

    Args:
        sources: of the bundle.
        model: its main network, which may know its training speakers.

    Raises:
        AsdkitError: only a part of what a card needs is given.
        DataError: a file is damaged; or a speaker of the card trained the network, or
            is one of the calibration or of the cohort.
    """
    given = sources.card_data, sources.card_trials, sources.card_scores
    if not any(given):
        return None
    if not all(given):
        raise AsdkitError("--card-data, --card-trials, --card-scores belong together")
    if sources.calibration is None:
        problem = "a card counts decisions, and without --calibration there are none"
        raise AsdkitError(problem, hint="--calibration, or no --card-trials")
    assert sources.card_data is not None
    assert sources.card_trials is not None
    assert sources.card_scores is not None
    trials = read_trials(sources.card_trials)
    _, scores = read_systems([sources.card_scores], trials, sources.card_trials)
    folder = Path(sources.card_data)
    spk_of = read_table(folder / "utt2spk")
    for utt in (*trials.enroll_ids, *trials.test_ids):
        if utt not in spk_of:
            problem = f"{utt!r} is not in {folder / 'utt2spk'}"
            raise DataError(sources.card_trials, problem, hint="name its --card-data")
    used = {spk_of[utt] for utt in (*trials.enroll_ids, *trials.test_ids)}
    notes = []
    for what, path, known in (
        ("trained the network", sources.card_data, getattr(model, "classes", ())),
        ("calibrated", sources.calibration_utt2spk, None),
        ("are the cohort", sources.cohort_utt2spk, None),
    ):
        if known is None and path is not None:
            known = read_table(path).values()
        if known:
            _refuse_overlap(sources.card_trials, used, known, what)
        elif what != "are the cohort" or sources.cohort is not None:
            notes.append(f"Which speakers {what} is not stated: they may be the same.")
    found = CardTrials(
        folder, sources.card_trials, trials, scores[:, 0], spk_of, tuple(notes)
    )
    _groups(folder, found.spk)  # damaged tables are found before anything is written
    return found


def _refuse_overlap(
    path: PathName, used: set[str], known: Iterable[str], what: str
) -> None:
    """Raise a DataError that names speakers of a card whom the model knows."""
    if both := sorted(used & {*known}):
        names = ", ".join(both[:3]) + (", ..." if both[3:] else "")
        problem = f"{len(both)} of its {len(used)} speakers {what}: {names}"
        hint = "a card on them would promise too much: take trials of other speakers"
        raise DataError(path, problem, hint=hint)


def card_of(found: CardTrials, bundle: Bundle, num_recordings: int) -> dict[str, Any]:
    """Make a card.

    Args:
        found: its trials.
        bundle: complete but for the card.
        num_recordings: test recordings to cut and to add noise to; 0: none.

    Raises:
        DataError: a recording is missing or damaged.
    """
    spk = found.spk
    everyone = Group(found.llrs, found.trials.is_target, spk)
    groups = {"all": everyone}
    for name, members in _groups(found.folder, spk).items():
        groups[name] = everyone.of(members)
    notes = list(found.notes)
    if num_recordings:
        measured = measure_conditions(
            bundle, found.folder, found.trials, found.spk_of, num_recordings
        )
        groups |= {name: Group(*x) for name, x in measured.items()}
        count = next(iter(measured.values())).num_recordings
        notes.append(SHAPED.format(count))
    source = f"{len(spk):,} of {len(np.unique(spk))} speakers, {found.path}"
    return make_card(groups, bundle.costs.threshold, source, notes=notes)


def _groups(folder: Path, spk: np.ndarray) -> dict[str, np.ndarray]:
    """Group trials by sex, and by age where the data say it: both sides alike."""
    groups = {}
    if (folder / "spk2gender").exists():
        sex = read_table(folder / "spk2gender")
        for letter, name in SEXES.items():
            members = {x for x, value in sex.items() if value == letter}
            groups[name] = _both(spk, members)
    if (folder / "spk2age").exists():
        table = read_table(folder / "spk2age")
        try:
            ages = {x: parse_finite(age) for x, age in table.items()}
        except ValueError as error:
            raise DataError(folder / "spk2age", str(error)) from None
        adults = {x for x, age in ages.items() if age >= ADULT}
        groups["adults"] = _both(spk, adults)
        groups["children"] = _both(spk, set(ages) - adults)
    return groups


def _both(spk: np.ndarray, members: set[str]) -> np.ndarray:
    """(N, 2) speakers -> (N,) whether both are members."""
    found: Any = np.isin(spk, sorted(members)).all(axis=1)
    return np.asarray(found)
