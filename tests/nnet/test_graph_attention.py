"""Graph attention against its definition, one pair of nodes at a time."""

import pytest
import torch
from torch import nn

from asdkit.nnet.graph_attention import (
    GraphAttention,
    GraphPool,
    HeterogeneousAttention,
)


@pytest.fixture
def nodes(rng):
    return torch.from_numpy(rng.standard_normal((2, 5, 4)))


def attend(listener, nodes, project, weigh, temperature):
    """How much a node hears each of some nodes; ``weigh`` gives a vector for each."""
    scores = []
    for j, node in enumerate(nodes):
        compared = torch.tanh(project(listener * node))
        scores.append((weigh(j) @ compared).item() / temperature)
    return torch.tensor(scores, dtype=nodes.dtype).softmax(dim=0)


def update(layer, weights, others, own):
    heard = sum(weight * node for weight, node in zip(weights, others, strict=True))
    return layer.others(heard) + layer.own(own)


def finish(norm, x):
    """Normalize (V, C) and apply SELU."""
    batch_norm = norm.norm
    scale = batch_norm.weight / (batch_norm.running_var + batch_norm.eps).sqrt()
    normalized = (x - batch_norm.running_mean) * scale + batch_norm.bias
    return nn.functional.selu(normalized)


@pytest.mark.parametrize("num_real", [5, 3])
def test_graph_attention_equals_its_definition(nodes, num_real, shake):
    layer = shake(GraphAttention(4, 3, temperature=2.0)).double()
    found = layer(nodes, torch.tensor([5, num_real]))[1, :num_real]
    real = nodes[1, :num_real]
    vector = layer.weigh.weight[0]
    expected = []
    for node in real:
        weights = attend(node, real, layer.compare.project, lambda j: vector, 2.0)
        expected.append(update(layer.update, weights, real, node))
    torch.testing.assert_close(found, finish(layer.norm, torch.stack(expected)))


@pytest.mark.parametrize("num_real", [5, 3])
def test_heterogeneous_attention_equals_its_definition(nodes, num_real, rng, shake):
    layer = shake(HeterogeneousAttention(4, 3, temperature=5.0)).double()
    first = torch.from_numpy(rng.standard_normal((2, 2, 4)))
    master = torch.from_numpy(rng.standard_normal((1, 1, 4)))
    x, y, m = layer(first, nodes, master, torch.tensor([5, num_real]))

    one, two = layer.first(first[1]), layer.second(nodes[1, :num_real])
    both = torch.cat([one, two])
    vectors = {
        (True, True): layer.weigh_first.weight[0],
        (False, False): layer.weigh_second.weight[0],
        (True, False): layer.weigh_across.weight[0],
        (False, True): layer.weigh_across.weight[0],
    }
    expected = []
    for i, node in enumerate(both):
        weights = attend(
            node, both, layer.compare.project, lambda j, i=i: vectors[i < 2, j < 2], 5.0
        )
        expected.append(update(layer.update, weights, both, node))
    expected = finish(layer.norm, torch.stack(expected))
    torch.testing.assert_close(x[1], expected[:2])
    torch.testing.assert_close(y[1, :num_real], expected[2:])

    vector = layer.weigh_master.weight[0]
    project = layer.compare_master.project
    weights = attend(master[0, 0], both, project, lambda j: vector, 5.0)
    heard = update(layer.update_master, weights, both, master[0, 0])
    torch.testing.assert_close(m[1, 0], heard)


def test_the_best_nodes_are_kept_in_order_and_scaled(nodes):
    pool = GraphPool(4, ratio=0.7).double().eval()
    lengths = [5, 2]
    kept, num_kept = pool(nodes, torch.tensor(lengths))
    assert kept.shape == (2, 3, 4)
    assert num_kept.tolist() == [3, 1]
    for i, length in enumerate(lengths):
        scored = []
        for node in nodes[i, :length]:
            score = torch.sigmoid(pool.scores[1](node))
            scored.append((score.item(), score * node))
        scored.sort(key=lambda pair: -pair[0])
        for n in range(int(0.7 * length)):
            torch.testing.assert_close(kept[i, n], scored[n][1])
        assert kept[i, int(0.7 * length) :].abs().sum() == 0


def test_one_node_is_kept_at_least(nodes):
    kept, _ = GraphPool(4, ratio=0.1)(nodes.float())
    assert kept.shape == (2, 1, 4)


def test_in_evaluation_nothing_is_dropped(nodes, shake):
    for layer in (GraphAttention(4, 3, 2.0), GraphPool(4, 0.5)):
        shake(layer)
        first, second = (layer(nodes.float(), None) for _ in range(2))
        torch.testing.assert_close(first, second, rtol=0, atol=0)
