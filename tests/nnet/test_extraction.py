import numpy as np
import torch

from asdkit.data.batches import Batch
from asdkit.nnet.extraction import extract
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
