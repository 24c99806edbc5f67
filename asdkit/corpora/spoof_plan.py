"""Plan which attacks to make on which utterances."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from asdkit.base.errors import AsdkitError
from asdkit.base.names import find_id_problem
from asdkit.base.ranges import Names, Natural
from asdkit.corpora.changed import Rooms
from asdkit.data.cuts import speaker_of
from asdkit.io.protocols import BONAFIDE
from asdkit.simulation.attacks import ATTACKS, MIN_SEC, Attack

if TYPE_CHECKING:
    from lhotse import MonoCut, SupervisionSegment

logger = logging.getLogger(__name__)

PerUtterance = Literal["all", "one", "two", "three"]
NUMBERS = {"one": 1, "two": 2, "three": 3}


class Spoof(NamedTuple):
    """A spoof to be made.

    Attributes:
        utt: its id.
        attack: id of the attack.
        victim: id of the utterance whose speaker is imitated.
        other: id of an utterance by another speaker; empty if the attack needs none.
        environment: environment of the replay; empty for any rooms.
    """

    utt: str
    attack: str
    victim: str
    other: str = ""
    environment: str = ""


def parse_attacks(
    attacks: Names = "lpc,griffin_lim", ids: Names = "", skip_missing: bool = False
) -> dict[str, str]:
    """Read two lists separated by commas: attacks, and ids for them.

    Args:
        attacks: attacks to make, separated by commas, e.g. ``lpc,world``.
        ids: attack ids in utt2attack, one per attack, e.g. A01,A02; empty: the attacks'
            own names.
        skip_missing: leave out, with a warning, attacks whose program or package is not
            installed, instead of stopping with an error.

    Returns:
        id -> attack.

    Raises:
        AsdkitError: there is no such attack, what it needs is not installed, none is
            left, or the ids are too few, too many, not one word each, or not different.
    """
    names = attacks.split(",")
    for name in names:
        if name not in ATTACKS:
            known = ", ".join(ATTACKS)
            raise AsdkitError(f"--attacks: expected some of {known}; got {name!r}")
    labels = ids.split(",") if ids else names
    differ = len(set(labels)) == len(labels) == len(names) and BONAFIDE not in labels
    if not differ or any(
        x.split() != [x] or "/" in x or find_id_problem(x, "") for x in labels
    ):
        raise AsdkitError(
            f"--ids: expected {len(names)} different words, one for each of "
            f"{attacks}; got {ids or attacks!r}"
        )
    pairs = zip(labels, names, strict=True)
    chosen = {label: name for label, name in pairs if _is_possible(name, skip_missing)}
    if not chosen:
        raise AsdkitError(f"--attacks: none of {attacks} can be made here")
    return chosen


def _is_possible(name: str, skip_missing: bool) -> bool:
    """Tell whether what an attack needs is there; raise unless it may be skipped."""
    try:
        ATTACKS[name].check()
    except AsdkitError as error:
        if not skip_missing:
            raise
        logger.warning("spoof: %s is left out: %s", name, error)
        return False
    return True


def plan_spoofs(
    cuts: Sequence[MonoCut],
    attacks: Mapping[str, str],
    per_utterance: PerUtterance = "all",
    seed: Natural = 0,
    rooms: Rooms | None = None,
) -> list[Spoof]:
    """Plan which attacks to make on which utterances.

    Args:
        cuts: of bona fide speech.
        attacks: id -> attack.
        per_utterance: every attack on every utterance, or one, two or three, all
            equally often.
        seed: of the draws.
        rooms: drawn environments of utterances and their replays; None for any rooms.

    Returns:
        spoofs, sorted by id; what nothing can be made of is left out and counted in
        the log.

    Raises:
        AsdkitError: an attack can be made on no utterance at all.
    """
    voices = _Voices(cuts)
    turns = np.random.default_rng(seed).permutation(len(cuts))
    skipped: dict[str, Counter[str]] = {label: Counter() for label in attacks}
    spoofs = []
    for cut, turn in zip(cuts, turns, strict=True):
        possible = []
        for label, name in attacks.items():
            problem = _obstacle(cut, ATTACKS[name], voices)
            if problem:
                skipped[label][problem] += 1
            else:
                possible.append(label)
        num = NUMBERS.get(per_utterance, len(possible))
        if num < len(possible):
            possible = [possible[(turn + i) % len(possible)] for i in range(num)]
        for label in possible:
            utt, other = f"{cut.id}-{label}", ""
            if ATTACKS[attacks[label]].needs_other:
                other = voices.draw(cut, rng_of(seed, utt))
            environment = rooms.environment_of(cut.id) if rooms else ""
            spoofs.append(Spoof(utt, label, cut.id, other, environment))
    for label, problems in skipped.items():
        said = ", ".join(f"{count} {problem}" for problem, count in problems.items())
        what = f"{label}: of {len(cuts)} utterances: {said}"
        if problems.total() == len(cuts):
            raise AsdkitError(what, hint="leave this attack out")
        if problems:
            logger.warning("spoof: %s: skipped", what)
    return sorted(spoofs)


class _Voices:
    """Other speakers whose speech can be converted into a speaker's voice."""

    def __init__(self, cuts: Sequence[MonoCut]) -> None:
        self._cuts: dict[str | None, list[MonoCut]] = defaultdict(list)
        self._spks: dict[str | None, set[str]] = defaultdict(set)
        for cut in cuts:
            if cut.duration >= MIN_SEC:
                for pool in {gender_of(cut), None}:
                    self._cuts[pool].append(cut)
                    self._spks[pool].add(speaker_of(cut))

    def exist_besides(self, cut: MonoCut, pool: str | None = None) -> bool:
        """Tell whether there is another speaker, of a gender or of any."""
        spks = self._spks[pool]
        return len(spks) > (speaker_of(cut) in spks)

    def draw(self, cut: MonoCut, rng: np.random.Generator) -> str:
        """Draw an utterance of another speaker, of the same gender if there is one."""
        pool = gender_of(cut)
        if not self.exist_besides(cut, pool):
            pool = None
        while True:
            other = self._cuts[pool][rng.integers(len(self._cuts[pool]))]
            if speaker_of(other) != speaker_of(cut):
                return str(other.id)


def _obstacle(cut: MonoCut, attack: Attack, voices: _Voices) -> str:
    """Return why an attack cannot be made on an utterance; empty if it can."""
    if cut.duration < MIN_SEC:
        return f"are shorter than {MIN_SEC:g} s"
    text = cut.supervisions[0].text or ""
    if attack.needs_text and not any(letter.isalnum() for letter in text):
        return "have no transcript"
    if attack.needs_other and not voices.exist_besides(cut):
        return "have no other speaker beside them"
    return ""


def gender_of(cut: MonoCut) -> str | None:
    """Return "f" or "m", None where it is unknown."""
    gender = (cut.supervisions[0].gender or "")[:1].lower()
    return gender if gender in ("f", "m") else None


def is_bonafide(supervision: SupervisionSegment) -> bool:
    """Tell whether an utterance has no attack, as far as is known."""
    return (supervision.custom or {}).get("attack", BONAFIDE) == BONAFIDE


def rng_of(seed: int, name: str) -> np.random.Generator:
    """Make the random generator of a name."""
    return np.random.default_rng([seed, *name.encode()])
