"""Recordings in batches of like length have the results of each alone, in order."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from asdkit.base.errors import DataError
from asdkit.inference import recording_model
from asdkit.inference.recording_model import RecordingModel, join_frames
from asdkit.inference.waveform_front_end import Prepared
from asdkit.nnet.resnet import ResNet


class Lengths(RecordingModel):
    """Recordings are numbers of frames; the result is that number, unless given."""

    def __init__(self, results=None):
        front_end = SimpleNamespace(config=SimpleNamespace(subtract_mean=True))
        super().__init__("model.bin", "a toy", "length", front_end)
        self.results = results or {}
        self.batches = []

    def _prepare(self, audios):
        for n, num_frames in enumerate(audios):
            yield Prepared(f"r{n}", np.full((num_frames, 3), n, np.float32))

    def _compute(self, batch):
        self.batches.append([len(item.frames) for item in batch])
        lengths = [len(item.frames) for item in batch]
        return np.array([self.results.get(x, float(x)) for x in lengths])


def test_results_come_in_order_and_few_frames_are_in_memory(monkeypatch):
    monkeypatch.setattr(recording_model, "READ_AHEAD", 10)
    model = Lengths()
    assert list(model.compute(iter([7, 3, 1, 30, 2]))) == [7, 3, 1, 30, 2]
    assert model.batches == [[7, 3], [1], [30], [2]]
    assert list(model.compute([])) == []


def test_a_result_that_is_no_number_names_the_model_and_the_recording():
    model = Lengths({3: np.nan})
    with pytest.raises(DataError, match=r"model.bin: its length of 'r1' is nan"):
        list(model.compute([2, 3]))
    model._compute = lambda batch: np.array([[1.0, np.inf]])
    with pytest.raises(DataError, match=r"its length of 'r0' is not finite"):
        list(model.compute([2]))


@pytest.mark.parametrize("wrong", ["a.wav", (np.zeros(4), 16000)])
def test_one_recording_is_no_list_of_them(wrong):
    with pytest.raises(TypeError, match="expected a list of recordings"):
        list(Lengths().compute(wrong))


@pytest.mark.parametrize("max_frames", [0, 40, 10_000])
def test_a_network_sees_every_recording_as_if_it_were_alone(rng, max_frames):
    torch.manual_seed(0)
    network = ResNet((1, 1), channels=2, feat_dim=5, embedding_dim=4).eval()
    lengths = [12, 30, 9, 30, 17]
    batch = [
        Prepared(f"r{n}", rng.normal(3, 1, (size, 5)).astype(np.float32))
        for n, size in enumerate(lengths)
    ]
    found = Lengths().pad_by_length(batch, network, "cpu", max_frames)
    heads = Lengths().pad_by_length(
        batch, network, "cpu", max_frames, lambda x: x[:, 0]
    )
    with torch.no_grad():
        alone = [
            network(
                torch.from_numpy(x.frames - x.frames.mean(axis=0))[None],
                torch.tensor([len(x.frames)]),
            )[0].numpy()
            for x in batch
        ]
    np.testing.assert_allclose(found, alone, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(heads, found[:, 0])


def test_joined_frames_are_one_recording_after_another(rng):
    batch = [
        Prepared(name, rng.normal(size=(n, 2))) for name, n in (("a", 3), ("b", 1))
    ]
    utts, frames, splits = join_frames(batch)
    assert utts == ["a", "b"]
    for n, item in enumerate(batch):
        np.testing.assert_array_equal(frames[splits[n] : splits[n + 1]], item.frames)
