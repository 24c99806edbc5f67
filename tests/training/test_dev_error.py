import numpy as np
import pytest
import torch
from torch import nn

from asdkit.base.errors import FitError
from asdkit.batches.batches import Batch
from asdkit.metrics.eer import eer
from asdkit.nnet.network import Network
from asdkit.training.dev_error import SpeakerDevError, cosine_eer, hold_out


def test_all_pairs_are_trials(rng):
    x = rng.normal(size=(12, 3))
    spks = np.repeat(list("abc"), 4)
    x[:4] += 1
    scores = {True: [], False: []}
    for i in range(12):
        for j in range(i):
            cosine = x[i] @ x[j] / np.sqrt((x[i] @ x[i]) * (x[j] @ x[j]))
            scores[bool(spks[i] == spks[j])].append(cosine)
    expected = eer(np.array(scores[True]), np.array(scores[False]))
    assert cosine_eer(x, spks) == expected


def test_without_trials_there_is_no_rate(caplog):
    assert np.isnan(cosine_eer(np.ones((2, 3)), np.array(["a", "a"])))
    assert np.isnan(cosine_eer(np.full((2, 3), np.nan), np.array(["a", "b"])))
    assert "dev error" in caplog.text


def test_speakers_are_held_out_with_a_share_of_their_utterances():
    utt2spk = {f"{spk}-{n:02}": spk for spk in "abcdef" for n in range(10)}
    utt2spk["g-00"] = "g"  # one utterance: no target trial
    held_out = hold_out(utt2spk, num_valid_spks=3, utts_per_valid_spk=4, seed=1)
    assert len(set(held_out.values())) == 3
    assert "g" not in held_out.values()
    assert all(utt2spk[utt] == spk for utt, spk in held_out.items())
    assert len(held_out) == 3 * 4
    assert held_out == hold_out(utt2spk, 3, 4, seed=1)
    others = [set(hold_out(utt2spk, 3, 4, seed).values()) for seed in range(9)]
    assert any(other != set(held_out.values()) for other in others)


def test_too_few_speakers_are_named():
    utt2spk = {"a-1": "a", "a-2": "a", "b-1": "b", "c-1": "c", "c-2": "c"}
    with pytest.raises(FitError, match="cannot hold out 2 of 3 speakers, 2 of whom"):
        hold_out(utt2spk, 2)
    assert hold_out(utt2spk, 0) == {}


class Mean(Network):
    min_frames = 3

    def __init__(self):
        super().__init__(2, 2)
        self.norm = nn.BatchNorm1d(2)

    def embed(self, x, num_frames):
        assert not self.training
        return x.mean(dim=2)


def test_ranks_share_the_work_and_get_one_answer(rng, run_as_ranks):
    """A batch of each rank; an utterance that nobody gives is left out."""
    utts = ["a1", "a2", "b1", "b2", "b3"]
    utt2spk = {utt: utt[0] for utt in utts}
    feats = torch.from_numpy(rng.normal(size=(5, 4, 2)).astype(np.float32))
    four = torch.full((2,), 4)
    batches = [
        Batch([utts[i] for i in rows], feats[rows], four, torch.full((2,), -1))
        for rows in ([0, 3], [1, 2])
    ]
    x = feats[:4].mean(dim=1).numpy()
    expected = cosine_eer(x, np.array(list("aabb")))
    network = Mean().train()

    def batches_of(rows):
        def give(min_frames):
            assert min_frames == 3
            return [batches[row] for row in rows]

        return give

    assert SpeakerDevError(utt2spk, batches_of([0, 1]))(network) == expected
    assert network.training

    def measure(rank):
        assert SpeakerDevError(utt2spk, batches_of([rank]))(network) == expected

    assert run_as_ranks(measure, 2) == [0, 0]
