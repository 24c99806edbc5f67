import numpy as np
import pytest
import torch

from asdkit.batches.batches import Batch
from asdkit.nnet.extraction import extract, extract_frames, stretch
from asdkit.nnet.registry import build


def test_utterances_have_the_embedding_they_have_alone(rng):
    network = build("resnet18", channels=4, feat_dim=16, embedding_dim=8)
    network.train()
    lengths = torch.tensor([30, 21, 9])
    feats = torch.from_numpy(rng.normal(size=(3, 30, 16)).astype(np.float32))
    batch = Batch(list("abc"), feats, lengths, torch.full((3,), -1))
    ((utts, embeddings),) = extract(network, [batch])
    assert utts == ["a", "b", "c"]
    assert network.training
    network.eval()
    for i in range(3):
        with torch.no_grad():
            alone = network(feats[i : i + 1, : lengths[i]])[0].numpy()
        np.testing.assert_allclose(embeddings[i], alone, rtol=1e-4, atol=1e-5)


def test_a_head_turns_embeddings_into_something_else(rng):
    network = build("resnet18", channels=4, feat_dim=16, embedding_dim=8)
    feats = torch.from_numpy(rng.normal(size=(2, 30, 16)).astype(np.float32))
    batch = Batch(list("ab"), feats, torch.tensor([30, 30]), torch.full((2,), -1))
    ((_, embeddings),) = extract(network, [batch])
    ((_, sums),) = extract(network, [batch], head=lambda x: x.sum(dim=1))
    np.testing.assert_allclose(sums, embeddings.sum(axis=1), rtol=1e-5)


def test_a_number_stands_for_the_frames_that_it_came_from():
    numbers = np.array([1.0, 2.0, 3.0])
    assert stretch(numbers, 6, 2).tolist() == [1, 1, 2, 2, 3, 3]
    assert stretch(numbers, 5, 2).tolist() == [1, 1, 2, 2, 3]  # rounded up
    assert stretch(numbers, 8, 2).tolist() == [1, 1, 2, 2, 3, 3, 3, 3]  # and down


@pytest.mark.parametrize("name", ["senet9", "resnet18", "lcnn_lstm"])
def test_frames_of_a_batch_have_the_numbers_they_have_alone(name, rng):
    pooling = {"pooling": "tap"} if name == "resnet18" else {}
    network = build(name, channels=4, feat_dim=32, embedding_dim=6, **pooling)
    lengths = [130, 77, 64]
    feats = torch.from_numpy(rng.normal(size=(3, 130, 32)).astype(np.float32))
    batch = Batch(list("abc"), feats, torch.tensor(lengths), torch.full((3,), -1))

    def first(embeddings):
        return embeddings[:, 0]

    together = dict(extract_frames(network, [batch], "cpu", first))
    assert network.training
    for n, (utt, length) in enumerate(zip("abc", lengths, strict=True)):
        one = feats[n : n + 1, :length]
        batch = Batch([utt], one, torch.tensor([length]), torch.full((1,), -1))
        ((_, alone),) = extract_frames(network, [batch], "cpu", first)
        assert len(alone) == length
        np.testing.assert_allclose(together[utt], alone, atol=1e-5)
        steps = np.flatnonzero(np.diff(alone)) + 1
        assert len(steps) > 1
        assert (steps % network.frame_stride == 0).all()
