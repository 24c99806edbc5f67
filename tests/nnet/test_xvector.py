"""The x-vector's own choices; test_network.py has what all networks share."""

import torch

from asdkit.nnet.xvector import LOST_FRAMES, XVector


def test_a_frame_sees_seven_frames_on_either_side(rng):
    layers = XVector(channels=6, last_channels=5, feat_dim=3).eval().layers
    x = torch.from_numpy(rng.standard_normal((1, 3, 40))).float().requires_grad_()
    y = layers(x)
    assert y.shape == (1, 5, 40 - LOST_FRAMES)
    y[0, :, 10].square().sum().backward()
    seen = x.grad.abs().sum(dim=(0, 1)).nonzero().flatten()
    # 2 + 2 + 3 frames on either side of frame 17, every one of them.
    assert seen.tolist() == list(range(10, 25))
