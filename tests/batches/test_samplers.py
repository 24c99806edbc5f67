from itertools import islice

import numpy as np
import pytest

from asdkit.base.errors import FitError
from asdkit.batches.samplers import (
    BalancedChunks,
    RandomChunks,
    SpeakerChunks,
    batches_from,
    bucket_by_length,
    share_batch,
)

SPEAKERS = ["a"] * 5 + ["b"] * 3 + ["c"] + ["d"] * 4


def flat(batches):
    return [pick for batch in batches for pick in batch]


@pytest.fixture(params=["random", "speaker"])
def sampler(request):
    if request.param == "random":
        return RandomChunks(23, batch_size=4, chunks_per_utt=2)
    return SpeakerChunks(SPEAKERS, num_speakers=2, utts_per_speaker=2)


def test_an_epoch_of_random_chunks_shows_every_utterance_once():
    picks = flat(RandomChunks(12, batch_size=4).epoch(3))
    assert sorted(pick.place for pick in picks) == list(range(12))


def test_the_short_batch_at_the_end_of_an_epoch_is_left_out():
    sampler = RandomChunks(14, batch_size=4)
    batches = list(sampler.epoch(0))
    assert len(sampler) == len(batches) == 3
    assert {len(batch) for batch in batches} == {4}


def test_epochs_have_orders_of_their_own_and_so_have_seeds():
    first, again = (list(RandomChunks(12, 4).epoch(0)) for _ in range(2))
    assert first == again
    assert flat(first) != flat(RandomChunks(12, 4).epoch(1))
    assert flat(first) != flat(RandomChunks(12, 4, seed=1).epoch(0))


def test_no_two_picks_of_a_run_have_the_same_draw(sampler):
    picks = flat(islice(batches_from(sampler, 0), 5 * len(sampler)))
    assert len({pick.draw for pick in picks}) == len(picks)


def test_a_batch_is_a_function_of_its_step(sampler):
    batches = list(islice(batches_from(sampler, 0), 40))
    for step in (1, len(sampler), 25):
        assert next(batches_from(sampler, step)) == batches[step]


def test_speaker_chunks_have_so_many_of_each_of_so_many_speakers():
    sampler = SpeakerChunks(SPEAKERS, num_speakers=3, utts_per_speaker=2)
    for batch in islice(batches_from(sampler, 0), 50):
        spks = [SPEAKERS[pick.place] for pick in batch]
        assert spks[::2] == spks[1::2]
        assert len(set(spks)) == 3


def test_an_utterance_comes_twice_only_if_its_speaker_has_too_few():
    sampler = SpeakerChunks(SPEAKERS, num_speakers=4, utts_per_speaker=5)
    for batch in islice(batches_from(sampler, 0), 20):
        by_spk = {}
        for index, _ in batch:
            by_spk.setdefault(SPEAKERS[index], []).append(index)
        counts = {spk: len(set(utts)) for spk, utts in by_spk.items()}
        assert counts == {"a": 5, "b": 3, "c": 1, "d": 4}


def test_a_speaker_comes_the_more_often_the_more_utterances_he_has():
    speakers = ["a"] * 60 + ["b"] * 30 + ["c"] * 10
    sampler = SpeakerChunks(speakers, num_speakers=1, utts_per_speaker=2)
    picks = flat(islice(batches_from(sampler, 0), 3000))
    counts = np.bincount([ord(speakers[pick.place]) - ord("a") for pick in picks])
    np.testing.assert_allclose(counts / counts.sum(), [0.6, 0.3, 0.1], atol=0.03)


def test_ranks_together_have_the_batch_and_speakers_stay_whole(monkeypatch):
    sampler = SpeakerChunks(SPEAKERS, num_speakers=4, utts_per_speaker=3)
    batch = next(sampler.epoch(0))
    monkeypatch.setenv("WORLD_SIZE", "2")
    shares = []
    for rank in range(2):
        monkeypatch.setenv("RANK", str(rank))
        shares.append(share_batch(batch, sampler.group_size))
    assert sorted(flat(shares)) == sorted(batch)
    spks = [{SPEAKERS[pick.place] for pick in share} for share in shares]
    assert spks[0].isdisjoint(spks[1])
    assert list(map(len, spks)) == [2, 2]


def test_too_few_utterances_or_speakers_for_a_batch_are_an_error():
    with pytest.raises(FitError, match="expected 64 chunks for a batch, got 10 utt"):
        RandomChunks(10)
    assert len(RandomChunks(10, chunks_per_utt=7)) == 1
    problem = "expected 5 speakers for a batch, got only 4"
    with pytest.raises(FitError, match=problem) as caught:
        SpeakerChunks(SPEAKERS, num_speakers=5)
    assert "--batch-size" in caught.value.hint  # nnet-train has no --num-speakers


def test_buckets_hold_every_utterance_once_and_as_many_frames_as_allowed(rng):
    lengths = rng.integers(1, 300, 200)
    lengths[17] = 5000
    buckets = bucket_by_length(lengths, 1000)
    assert sorted(i for bucket in buckets for i in bucket) == list(range(200))
    assert buckets[0] == [17]
    for bucket in buckets[1:]:
        assert max(lengths[bucket]) * len(bucket) <= 1000
    longest = [max(lengths[bucket]) for bucket in buckets]
    assert longest == sorted(longest, reverse=True)
    padding = sum(max(lengths[b]) * len(b) for b in buckets) - lengths.sum()
    assert padding < 0.1 * lengths.sum()


def test_balanced_batches_have_equal_shares_of_all_classes():
    classes = ["spoof"] * 20 + ["bonafide"] * 3
    sampler = BalancedChunks(classes, batch_size=6, chunks_per_utt=2, seed=1)
    batches = list(sampler.epoch(2))
    assert len(batches) == len(sampler) == 7
    for batch in batches:
        assert sum(pick.place >= 20 for pick in batch) == 3
    places = np.array([pick.place for pick in flat(batches)])
    assert np.bincount(places)[20:].tolist() == [7, 7, 7]  # in turn
    assert np.bincount(places)[:20].max() == 2
    draws = [pick.draw for number in range(3) for pick in flat(sampler.epoch(number))]
    assert len(set(draws)) == len(draws)
    assert flat(sampler.epoch(2)) == flat(batches)
    # Ranks take every n-th pick: classes must not alternate.
    assert any(
        {pick.place >= 20 for pick in batch[::2]} == {True, False} for batch in batches
    )


def test_batches_that_cannot_be_balanced_are_refused():
    with pytest.raises(FitError, match="batches of 3 cannot be made of 4 utterances"):
        BalancedChunks(list("aabb"), batch_size=3)
    with pytest.raises(FitError, match="in equal shares of 2 classes"):
        BalancedChunks(list("aabb"), batch_size=8)
