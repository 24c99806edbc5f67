"""Lists of trials, made from who spoke what."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from asdkit.io.trials import Trials


def pair_utterances(
    utt2spk: Mapping[str, str], utt2group: Mapping[str, str] | None = None
) -> Trials:
    """Make all unordered pairs of different utterances.

    Args:
        utt2spk: the speaker of every utterance.
        utt2group: if given, only utterances with equal values are paired, for
            example the gender of their speakers.

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
    return Trials(utts, utts, first, second, spk[first] == spk[second])


def group_utterances(
    utt2spk: Mapping[str, str], values: Mapping[str, str]
) -> tuple[dict[str, str], list[str]]:
    """Give every utterance the value of its own, or else of its speaker.

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
