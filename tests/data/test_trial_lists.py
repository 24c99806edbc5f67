import numpy as np

from asdkit.data.trial_lists import group_utterances, pair_utterances

UTT2SPK = {"u3": "b", "u1": "a", "u2": "a", "u4": "c"}


def lines_of(trials):
    return [f"{trials.name(i)} {bool(key)}" for i, key in enumerate(trials.is_target)]


def test_every_unordered_pair_comes_once():
    trials = pair_utterances(UTT2SPK)
    assert lines_of(trials) == [
        "u1 u2 True",
        "u1 u3 False",
        "u1 u4 False",
        "u2 u3 False",
        "u2 u4 False",
        "u3 u4 False",
    ]


def test_pairs_stay_within_their_group():
    trials = pair_utterances(UTT2SPK, {"u1": "f", "u2": "m", "u3": "f", "u4": "m"})
    assert lines_of(trials) == ["u1 u3 False", "u2 u4 False"]


def test_counts_of_an_even_set():
    """As in speechocean762's test set: 40 speakers, 20 utterances, 20 of each sex."""
    utt2spk = {f"{i:03d}": f"s{i // 20}" for i in range(800)}
    group = {utt: "mf"[int(spk[1:]) % 2] for utt, spk in utt2spk.items()}
    trials = pair_utterances(utt2spk, group)
    assert len(trials) == 2 * 400 * 399 // 2
    assert np.sum(trials.is_target) == 40 * 20 * 19 // 2 == 7600


def test_an_utterance_has_its_own_value_or_its_speakers():
    values = {"a": "f", "b": "m", "u2": "m"}
    assert group_utterances(UTT2SPK, values) == (
        {"u1": "f", "u2": "m", "u3": "m", "u4": ""},
        ["u4"],
    )


def test_pairs_of_one_session_are_left_out():
    sessions = {"u1": "x", "u2": "x", "u3": "y", "u4": "y"}
    trials = pair_utterances(UTT2SPK, utt2session=sessions)
    assert lines_of(trials) == [
        *("u1 u3 False", "u1 u4 False", "u2 u3 False", "u2 u4 False")
    ]
