"""CAM++'s own choices; test_network.py has what all networks share."""

import pytest
import torch
import torch.nn.functional as F

from asdkit.nnet.campplus import SEGMENT_FRAMES, CamPlusPlus, DenseLayer, context


@pytest.mark.parametrize("num_frames", [1, 99, 100, 101, 250])
def test_context_is_the_mean_plus_the_mean_of_the_segment(num_frames, rng):
    x = torch.from_numpy(rng.standard_normal((2, 3, num_frames)))
    segments = F.avg_pool1d(x, SEGMENT_FRAMES, SEGMENT_FRAMES, ceil_mode=True)
    expected = segments + x.mean(dim=2, keepdim=True)
    torch.testing.assert_close(context(x, None), expected)


def test_context_of_a_padded_batch_is_that_of_its_utterances(rng):
    x = torch.from_numpy(rng.standard_normal((3, 2, 250)))
    lengths = [250, 130, 40]
    for utt, length in zip(x, lengths, strict=True):
        utt[:, length:] = 0
    together = context(x, torch.tensor(lengths))
    for i, length in enumerate(lengths):
        alone = context(x[i : i + 1, :, :length], None)
        torch.testing.assert_close(together[i : i + 1, :, : alone.shape[2]], alone)


def test_every_frame_is_masked_by_the_context_of_its_own_segment(rng, shake):
    layer = shake(DenseLayer(4, growth=3, dilation=2, hidden_dim=6))
    x = torch.from_numpy(rng.standard_normal((2, 4, 230))).float()
    y = layer(x, None)
    h = layer.narrow(x)
    local = layer.local(h)
    for t in [0, 99, 100, 229]:
        start = t // SEGMENT_FRAMES * SEGMENT_FRAMES
        segment = h[..., start : start + SEGMENT_FRAMES].mean(dim=2)
        mask = layer.mask((h.mean(dim=2) + segment)[..., None])
        torch.testing.assert_close(y[..., t], local[..., t] * mask[..., 0])


def test_segments_do_not_see_padding(rng, shake):
    network = shake(CamPlusPlus(head_channels=4, channels=8, growth=4))
    feats = torch.from_numpy(rng.standard_normal((2, 450, 80))).float()
    with torch.inference_mode():
        padded = network(feats, torch.tensor([450, 230]))
        torch.testing.assert_close(
            padded[1:], network(feats[1:, :230]), rtol=1e-4, atol=1e-4
        )
