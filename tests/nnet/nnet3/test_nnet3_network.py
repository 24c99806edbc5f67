"""A network of nnet3 cuts utterances into chunks, as nnet3-xvector-compute does."""

import numpy as np
import pytest
import torch

from asdkit.nnet.nnet3.nnet3_network import COMPONENTS, Nnet3
from asdkit.nnet.nnet3.topology import xvector_graph

LAYERS = [((-1, 0, 1), 6), ((0,), 8)]


def new(**options):
    torch.manual_seed(0)
    network = Nnet3(xvector_graph(4, 5, LAYERS), feat_dim=4, **options)
    for part in network.components:
        part.initialize()
    return network.eval()


def embed(network, *utterances):
    lengths = torch.tensor([len(x) for x in utterances])
    batch = torch.zeros(len(utterances), int(lengths.max()), 4)
    for row, x in zip(batch, utterances, strict=True):
        row[: len(x)] = torch.from_numpy(x)
    with torch.inference_mode():
        return network(batch, lengths).numpy()


@pytest.fixture
def x(rng):
    return rng.normal(size=(50, 4)).astype(np.float32)


def test_a_chunk_counts_by_its_frames(x):
    network = new(max_chunk_size=20, min_chunk_size=5)
    parts = [embed(network, piece)[0] for piece in (x[:20], x[20:40], x[40:])]
    expected = (20 * parts[0] + 20 * parts[1] + 10 * parts[2]) / 50
    whole, other = embed(network, x, x[:20])
    np.testing.assert_allclose(whole, expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(other, parts[0], rtol=1e-4, atol=1e-6)


def test_a_short_chunk_is_extended_by_its_ends(x):
    network = new(min_chunk_size=10)
    short = x[:5]
    longer = np.concatenate([short[:1].repeat(2, 0), short, short[-1:].repeat(3, 0)])
    found, expected = embed(network, short)[0], embed(network, longer)[0]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
    assert network.min_frames == 1
    assert new(min_chunk_size=10, pad_input=False).min_frames == 10


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"feat_dim": 7}, "the network takes 4, got 7"),
        (
            {"feat_dim": 4, "max_chunk_size": 2, "min_chunk_size": 1},
            "at least 3 frames",
        ),
    ],
)
def test_options_that_cannot_be_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Nnet3(xvector_graph(4, 5, LAYERS), **options)


def test_components_are_named_where_they_are_wrong():
    graph = xvector_graph(4, 5, LAYERS)
    first = graph["components"][0]
    for change, message in (
        ({"type": "Novelty"}, "component 'tdnn1.affine' is a Novelty, which is not"),
        ({"fields": []}, "'tdnn1.affine', a .*Component, lacks <LinearParams>"),
        ({"name": "tdnn1.relu"}, "two components have one name"),
    ):
        changed = [{**first, **change}, *graph["components"][1:]]
        with pytest.raises(ValueError, match=message):
            Nnet3({**graph, "components": changed}, feat_dim=4)


def test_what_the_embedding_does_not_need_is_not_trained():
    graph = xvector_graph(4, 5, LAYERS)
    line = "output-node name=output input=Round(stats-pooling-0-10000, 1)"
    network = Nnet3({**graph, "config": [line]}, feat_dim=4)
    frozen = {
        name
        for name, part in zip(network.names, network.components, strict=True)
        if not all(p.requires_grad for p in part.parameters())
    }
    assert frozen == {"tdnn3.affine"}
    described = [(name, kind) for name, kind, _ in network.described_components()]
    assert described == [(x["name"], x["type"]) for x in graph["components"]]
    assert {kind for _, kind in described} <= COMPONENTS.keys()
