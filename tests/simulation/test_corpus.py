"""A corpus whose every utterance exists on its own."""

import numpy as np
import pytest

from asdkit.base.distributed import share
from asdkit.base.errors import AsdkitError
from asdkit.simulation.corpus import DrawnCorpus


def test_names_sort_and_count():
    drawn = DrawnCorpus(num_spks=3, num_sessions=2, utts_per_session=2).utterances()
    assert len(drawn) == 12
    assert [item.utt for item in drawn] == sorted(item.utt for item in drawn)
    assert drawn[0].utt == "spk0001-01-01"
    assert drawn[-1].utt == "spk0003-02-02"
    assert all(item.utt.startswith(f"{item.spk}-") for item in drawn)
    assert {item.spk: item.gender for item in drawn} == {
        "spk0001": "f",
        "spk0002": "m",
        "spk0003": "f",
    }


def test_durations_are_about_the_mean_and_what_is_spoken():
    corpus = DrawnCorpus(num_spks=10, mean_sec=0.5)
    drawn = corpus.utterances()
    secs = np.array([item.sec for item in drawn])
    assert 0.4 <= secs.min() < secs.max() <= 0.6
    assert secs.mean() == pytest.approx(0.5, abs=0.02)
    for item in drawn[:3]:
        assert len(corpus.speak(item)) == item.sec * 16000


def test_ranks_and_order_do_not_change_a_sample(monkeypatch):
    corpus = DrawnCorpus(num_spks=2, num_sessions=1, mean_sec=0.5)
    alone = {item.utt: corpus.speak(item) for item in corpus.utterances()}
    monkeypatch.setenv("WORLD_SIZE", "3")
    together = {}
    for rank in (2, 0, 1):
        monkeypatch.setenv("RANK", str(rank))
        again = DrawnCorpus(num_spks=2, num_sessions=1, mean_sec=0.5)
        for item in share(again.utterances()):
            together[item.utt] = again.speak(item)
    assert together.keys() == alone.keys()
    for utt, samples in alone.items():
        np.testing.assert_array_equal(together[utt], samples)


def test_a_larger_corpus_contains_the_smaller_one():
    small = DrawnCorpus(num_spks=2, num_sessions=2, utts_per_session=1)
    large = DrawnCorpus(num_spks=5, num_sessions=3, utts_per_session=2)
    assert set(small.utterances()) <= set(large.utterances())


@pytest.mark.parametrize("other", [{"prefix": "test"}, {"seed": 1}])
def test_prefix_and_seed_give_other_people(other):
    one = DrawnCorpus(num_spks=1, mean_sec=0.5)
    two = DrawnCorpus(num_spks=1, mean_sec=0.5, **other)
    first, second = one.utterances()[0], two.utterances()[0]
    second = second._replace(sec=first.sec)
    assert not np.allclose(one.speak(first), two.speak(second), atol=1e-3)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"num_spks": 0}, "at least one speaker"),
        ({"utts_per_session": -1}, "at least one speaker"),
        ({"mean_sec": 0.0}, "at least 0.1 s"),
        ({"prefix": "a/b"}, "a prefix of letters"),
        ({"prefix": "a b"}, "a prefix of letters"),
    ],
)
def test_an_impossible_corpus_is_named(options, words):
    with pytest.raises(AsdkitError, match=words):
        DrawnCorpus(**options).utterances()
