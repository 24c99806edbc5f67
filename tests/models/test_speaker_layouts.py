"""Published networks, renamed into ours, against their definitions (conftest.py)."""

import pytest
import torch

from asdkit.models.speaker_layouts import (
    THREE_D_SPEAKER,
    WESPEAKER,
    ecapa_layout,
    resnet_layout,
    size,
)
from asdkit.nnet.registry import build

KINDS = {"wespeaker": WESPEAKER, "3dspeaker": THREE_D_SPEAKER}


def load(state, source):
    kinds = KINDS[source]
    layout = next(read for name, read in kinds.items() if name in state)(state)
    network = build(layout.network, **layout.options)
    like = network.state_dict()
    network.load_state_dict(layout.to_ours(state, like))
    return layout, network.eval()


def test_an_imported_network_is_the_published_one(published, rng):
    state = published.new()
    layout, network = load(state, published.source)
    dim = layout.options["feat_dim"]
    feats = torch.from_numpy(rng.standard_normal((1, 230, dim))).float()
    with torch.inference_mode():
        expected = published.forward(state, feats[0])
        torch.testing.assert_close(network(feats)[0], expected, rtol=1e-5, atol=1e-5)
        padded = network(feats.repeat(2, 1, 1), torch.tensor([230, 131]))[1]
        expected = published.forward(state, feats[0, :131])
        torch.testing.assert_close(padded, expected, rtol=1e-5, atol=1e-5)


def test_names_and_shapes_go_there_and_back(published):
    state = published.new()
    layout, network = load(state, published.source)
    back = layout.to_theirs(network.state_dict())
    counts = {name for name in state if name.endswith("num_batches_tracked")}
    assert back.keys() == state.keys() - counts
    assert all(torch.equal(back[name], state[name]) for name in back)


def test_a_resnet_of_known_depth_has_the_name_that_the_registry_gives_it(
    published_called,
):
    new = published_called("resnet").new
    assert resnet_layout(new(depths=(3, 4, 6, 3))).network == "resnet34"
    layout = resnet_layout(new(bottleneck=True, depths=(3, 4, 23, 3)))
    assert layout.network == "resnet101"
    assert "blocks" not in layout.options
    assert resnet_layout(new(depths=(1, 2, 1, 1))).options["blocks"] == (1, 2, 1, 1)


def test_sizes_are_read_from_tensors_that_are_there():
    with pytest.raises(ValueError, match=r"tensor 'conv\.weight' is missing"):
        ecapa_layout({})
    with pytest.raises(ValueError, match=r"expected more axes, got shape \(2,\)"):
        size({"a": torch.zeros(2)}, "a", 1)
