"""Make lists of trials from speaker labels."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

from asdkit.base.errors import DataError
from asdkit.io.tables import PathName, read_words
from asdkit.io.trials import Trials


def pair_utterances(
    utt2spk: Mapping[str, str],
    utt2group: Mapping[str, str] | None = None,
    utt2session: Mapping[str, str] | None = None,
) -> Trials:
    """Make all unordered pairs of different utterances.

    Args:
        utt2spk: the speaker of every utterance.
        utt2group: groups; only utterances with equal values are paired, e.g. the gender
            of their speakers. None for all.
        utt2session: sessions; utterances with equal values are not paired. None for
            all.

    Returns:
        the trials, sorted by utterance ids; a pair of one speaker is a target.

    Example:
        >>> trials = pair_utterances({"a1": "a", "a2": "a", "b1": "b"})
        >>> [trials.name(i) for i in range(3)], trials.is_target
        (['a1 a2', 'a1 b1', 'a2 b1'], array([ True, False, False]))
    """
    utts = sorted(utt2spk, key=str.encode)
    _, spk = np.unique([utt2spk[utt] for utt in utts], return_inverse=True)
    first, second = np.triu_indices(len(utts), k=1)
    if utt2group is not None:
        _, group = np.unique([utt2group[utt] for utt in utts], return_inverse=True)
        same = group[first] == group[second]
        first, second = first[same], second[same]
    if utt2session is not None:
        _, session = np.unique([utt2session[x] for x in utts], return_inverse=True)
        other = session[first] != session[second]
        first, second = first[other], second[other]
    return Trials(utts, utts, first, second, spk[first] == spk[second])


def pair_with_speakers(
    spk2utt: Mapping[str, str],
    utt2spk: Mapping[str, str],
    spoofs: Collection[str] = (),
    groups: Mapping[str, str] | None = None,
) -> tuple[Trials, np.ndarray]:
    """Pair enrolled speakers with utterances, spoofs with the imitated ones only.

    Args:
        spk2utt: enrollment utterances of each speaker, which are not tests.
        utt2spk: speaker of every utterance; of a spoof, the imitated one.
        spoofs: spoofed utterances.
        groups: groups; only speakers and utterances with equal values are paired. None
            for all.

    Returns:
        N trials, sorted by speaker and utterance, and (N,) bool, whether the utterance
        is a spoof, which is never a target.

    Example:
        >>> utt2spk = {"a1": "a", "a2": "a", "a2-A01": "a", "c1": "c"}
        >>> trials, is_spoof = pair_with_speakers(
        ...     {"a": "a1", "b": "b1"}, utt2spk, spoofs=["a2-A01"]
        ... )
        >>> [trials.name(i) for i in range(len(trials))]
        ['a a2', 'a a2-A01', 'a c1', 'b a2', 'b c1']
        >>> trials.is_target.nonzero()[0], is_spoof.nonzero()[0]
        (array([0]), array([1]))
    """
    enrolled = set(" ".join(spk2utt.values()).split())
    spks = sorted(spk2utt, key=str.encode)
    utts = sorted(utt2spk.keys() - enrolled, key=str.encode)
    same = _equal(spks, [utt2spk[utt] for utt in utts])
    spoofed = np.isin(utts, [*spoofs])
    paired = same | ~spoofed
    if groups is not None:
        paired &= _equal([groups[spk] for spk in spks], [groups[utt] for utt in utts])
    enroll, test = np.nonzero(paired)
    is_spoof = spoofed[test]
    is_target = same[enroll, test] & ~is_spoof
    return Trials(spks, utts, enroll, test, is_target), is_spoof


def _equal(left: list[str], right: list[str]) -> np.ndarray:
    """Compare each with each: M and U words -> (M, U) bool."""
    _, numbers = np.unique([*left, *right], return_inverse=True)
    return numbers[: len(left), None] == numbers[len(left) :]


def group_utterances(
    utt2spk: Mapping[str, str], values: Mapping[str, str]
) -> tuple[dict[str, str], list[str]]:
    """Assign every utterance its own value, or else its speaker's.

    Args:
        utt2spk: the speaker of every utterance.
        values: of utterances (utt2channel) or of speakers (spk2gender).

    Returns:
        utterance -> value, and the utterances that have none.
    """
    utt2group = {
        utt: values.get(utt, values.get(spk, "")) for utt, spk in utt2spk.items()
    }
    return utt2group, [utt for utt, group in utt2group.items() if not group]


def read_groups(
    path: PathName | None, utt2spk: Mapping[str, str]
) -> dict[str, str] | None:
    """Read the groups within which utterances are paired.

    Args:
        path: a table of utterances or speakers; None does not group them.
        utt2spk: the speaker of every utterance.

    Returns:
        utterance -> group; None without a table.

    Raises:
        DataError: an utterance has no group, nor has its speaker.
    """
    if path is None:
        return None
    utt2group, without = group_utterances(utt2spk, read_words(path))
    if without:
        raise DataError(
            path,
            f"{len(without)} of {len(utt2spk)} ids have no value here, nor have their "
            f"speakers: {without[0]!r} of {utt2spk[without[0]]!r}, ...",
        )
    return utt2group
