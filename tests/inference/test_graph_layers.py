"""The layers of a graph, before they are one."""

import torch

from asdkit.inference.graph_layers import FromFeatures, Head
from asdkit.losses.one_class import OcSoftmax
from asdkit.nnet.xvector import XVector


def network():
    torch.manual_seed(0)
    return XVector(feat_dim=5, channels=8, last_channels=12).eval()


def test_features_get_the_mean_of_their_own_recording_subtracted():
    net, x = network(), torch.randn(2, 30, 5)
    found = FromFeatures(net, None, subtract_mean=True)(x + torch.arange(5.0))
    lengths = torch.tensor([30, 30])
    expected = net.embed((x - x.mean(dim=1, keepdim=True)).transpose(1, 2), lengths)
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


def test_a_head_scores_as_its_loss_does():
    loss = OcSoftmax(6, 2)
    x = torch.randn(3, 6)
    torch.testing.assert_close(Head(loss)(x), loss.scores(x))
