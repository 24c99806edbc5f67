"""Data directories with attacks, as countermeasures are trained on them."""

import numpy as np
import pytest
import torch
from torch import nn

from asdkit.base.errors import DataError, FitError
from asdkit.batches.batches import Batch
from asdkit.data.manifests import (
    Utterance,
    read_manifests,
    write_manifests,
    write_utterances,
)
from asdkit.io.ark import ArkWriter, read_arrays
from asdkit.io.tables import read_table, write_table
from asdkit.losses.classification import ClassificationLoss
from asdkit.metrics.eer import eer
from asdkit.nnet.network import Network
from asdkit.training.dev_error import FrameDevError, SpoofDevError
from asdkit.training.spoofing import SpoofTrainingSetReader, balanced_weights

OPTIONS = {"chunk_frames": 10, "batch_size": 4}


@pytest.fixture
def write_data(tmp_path, rng, monkeypatch):
    """Write utterances of 6 to 29 frames with the attacks given."""
    monkeypatch.chdir(tmp_path)

    def write(attacks, name="data"):
        utts = [f"u{n:02}" for n in range(len(attacks))]
        write_utterances(
            name,
            [
                Utterance(
                    utt, "s", f"{utt}.wav", False, 0.0, 0.3, 0, 16000, custom=custom
                )
                for utt, attack in zip(utts, attacks, strict=True)
                for custom in [{"attack": attack} if attack else None]
            ],
        )
        with ArkWriter(f"exp/{name}", "feats") as writer:
            for n, utt in enumerate(utts):
                writer[utt] = rng.normal(size=(6 + n, 3)).astype(np.float32)
        write_table(f"{name}/feats.scp", read_table(writer.scp))
        return name

    return write


def read(data, **options):
    return SpoofTrainingSetReader(**{**OPTIONS, **options}).read(data)


def test_spoof_is_0_and_bonafide_1(write_data):
    attacks = ["bonafide", "A01", "A02", "bonafide", "A01", "A01"]
    corpus = read(write_data(attacks))
    assert corpus.classes == ["spoof", "bonafide"]
    assert corpus.batches.class_counts.tolist() == [4, 2]
    for step, batch in corpus.batches.from_step(0):
        for utt, label in zip(batch.utts, batch.labels.tolist(), strict=True):
            assert label == (attacks[int(utt[1:])] == "bonafide")
        if step == 4:
            break
    assert balanced_weights(corpus) == (0.333333, 0.666667)


def test_classes_that_are_rare_come_as_often_if_they_shall(write_data):
    corpus = read(write_data(["bonafide"] + ["A01"] * 9), sampling="balanced")
    for step, batch in corpus.batches.from_step(0):
        assert batch.labels.sum() == 2
        if step == 4:
            break
    assert corpus.options["sampling"] == "balanced"


def test_data_of_one_class_or_without_are_refused(write_data):
    with pytest.raises(FitError, match="got only spoof"):
        read(write_data(["A01"] * 8))
    with pytest.raises(DataError, match="'u03': expected an attack or bonafide"):
        read(write_data(["A01", "bonafide", "A01", None]))


class Mean(Network):
    """The mean of the frames; counts the frames that it saw."""

    min_frames = 8

    def __init__(self):
        super().__init__(3, 3)
        self.norm = nn.BatchNorm1d(3)
        self.seen = set()

    def embed(self, x, num_frames):
        assert not self.training
        lengths = [x.shape[2]] if num_frames is None else num_frames.tolist()
        self.seen |= set(lengths)
        return x.mean(dim=2)


class First(ClassificationLoss):
    """The score is the first number of an embedding."""

    def __init__(self):
        super().__init__(torch.empty(2, 3))

    def scores(self, embeddings):
        return embeddings[:, 0]


@pytest.mark.parametrize("crop", ["whole", "first", "center"])
def test_no_utterance_of_the_development_set_is_too_short(write_data, crop):
    data = write_data(["bonafide", "A01", "A02"] * 4)
    reader = SpoofTrainingSetReader(**OPTIONS, crop=crop)
    dev_error = reader.read_trials(data, reader.read(data), First(), "cpu")
    network = Mean()
    assert 0 <= dev_error(network) <= 1
    assert len(dev_error.labels) == 12
    whole = set(range(8, 18))
    assert network.seen <= whole if crop == "whole" else network.seen == {10}


def test_a_development_set_needs_both_classes(write_data):
    data, dev = write_data(["bonafide", "A01"] * 4), write_data(["A01"] * 4, "dev")
    reader = SpoofTrainingSetReader(**OPTIONS)
    with pytest.raises(FitError, match="got only spoof"):
        reader.read_trials(dev, reader.read(data), First(), "cpu")


@pytest.fixture
def parts(rng):
    """Six utterances in two batches, and their EER."""
    attacks = dict(zip("abcdef", ["bonafide", "A01", "bonafide"] * 2, strict=True))
    feats = torch.from_numpy(rng.normal(size=(6, 9, 3)).astype(np.float32))
    nine = torch.full((3,), 9)
    rows = [[0, 3, 5], [1, 2, 4]]
    batches = [
        Batch(["abcdef"[i] for i in r], feats[r], nine, torch.full((3,), -1))
        for r in rows
    ]
    scores = feats.mean(dim=1)[:, 0].numpy()
    is_bonafide = np.array([attack == "bonafide" for attack in attacks.values()])
    return attacks, batches, eer(scores[is_bonafide], scores[~is_bonafide])


def test_ranks_share_the_development_set_and_get_one_answer(parts, run_as_ranks):
    attacks, batches, expected = parts
    alone = SpoofDevError(attacks, lambda _: batches, First())
    assert alone(Mean()) == expected

    def measure(rank):
        mine = SpoofDevError(attacks, lambda _: [batches[rank]], First())
        assert mine(Mean()) == expected

    assert run_as_ranks(measure, 2) == [0, 0]


def test_scores_that_are_not_finite_have_no_error_rate(parts, caplog):
    attacks, batches, _ = parts
    batches[0].feats[0] = torch.nan
    dev_error = SpoofDevError(attacks, lambda _: batches, First())
    assert np.isnan(dev_error(Mean()))
    assert "scores are not finite" in caplog.text


class Frames(Network):
    """A frame of three is the mean of these."""

    min_frames = 6
    frame_stride = 3

    def embed_frames(self, feats, num_frames=None):
        assert not self.training
        few = feats.shape[1] // 3
        return feats[:, : 3 * few].unflatten(1, (few, 3)).mean(dim=2), num_frames // 3


def label_parts(data):
    """Say that the first 50 ms of every attacked utterance are spoofed, no more."""
    manifests = read_manifests(data)
    for item in manifests.supervisions.values():
        if item.custom["attack"] != "bonafide":
            item.custom["spoofed"] = [[0.0, 0.05]]
    write_manifests(
        data, manifests.recordings.values(), manifests.supervisions.values()
    )


def test_frames_have_a_dev_error_of_their_own(write_data, run_as_ranks):
    """Each of three has the score of their mean, what is left over that before it."""
    data = write_data(["bonafide", "A01"] * 6)
    label_parts(data)
    scores, is_bonafide = [], []
    for n, (_, feats) in enumerate(read_arrays(f"scp:{data}/feats.scp")):
        means = [feats[i : i + 3, 0].mean() for i in range(0, len(feats) - 2, 3)]
        place = [min(t // 3, len(means) - 1) for t in range(len(feats))]
        scores += [means[i] for i in place]
        middles = 0.0125 + 0.01 * np.arange(len(feats))
        is_bonafide += [True] * len(feats) if n % 2 == 0 else (middles >= 0.05).tolist()
    scores, is_bonafide = np.array(scores), np.array(is_bonafide)
    expected = eer(scores[is_bonafide], scores[~is_bonafide])
    reader = SpoofTrainingSetReader(**OPTIONS)
    corpus = reader.read(data)

    def measure(rank=0):
        dev_error = reader.read_frames(data, corpus, First(), "cpu")
        assert isinstance(dev_error, FrameDevError)
        assert dev_error(Frames(3, 3)) == pytest.approx(expected, abs=1e-6)

    measure()
    assert run_as_ranks(measure, 2) == [0, 0]


def test_frames_that_are_not_finite_have_no_error_rate(write_data, caplog):
    data = write_data(["bonafide", "A01"] * 3)
    reader = SpoofTrainingSetReader(**OPTIONS)
    dev_error = reader.read_frames(data, reader.read(data), First(), "cpu")
    network = Frames(3, 3)
    network.embed_frames = lambda feats, num: (feats * torch.nan, num)
    assert np.isnan(dev_error(network))
    assert "scores are not finite" in caplog.text
