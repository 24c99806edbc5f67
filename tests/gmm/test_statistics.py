from itertools import pairwise

import numpy as np
import pytest
import torch

from asdkit.gmm.posteriors import Posteriors
from asdkit.gmm.statistics import first_order, moments, second_order

SPLITS = np.array([0, 30, 30, 31, 400])  # an empty utterance, and one of one frame


@pytest.fixture
def aligned(rng, device):
    """Frames, their posteriors, and these as a dense (T, G) matrix."""
    dense = rng.random((400, 9)) * (rng.random((400, 9)) < 0.3)
    dense[17] = 0.0
    frames = torch.from_numpy(rng.standard_normal((400, 4)).astype(np.float32))
    splits = np.cumsum([0, *np.count_nonzero(dense, axis=1)])
    gauss = np.nonzero(dense)[1].astype(np.int32)
    values = dense[dense > 0].astype(np.float32)
    parts = (torch.from_numpy(part).to(device) for part in (splits, gauss, values))
    return frames.to(device), Posteriors(*parts, num_gauss=9), dense


@pytest.mark.parametrize("of", [np.asarray, torch.as_tensor])
def test_first_order_equals_the_definition(aligned, of):
    frames, posteriors, dense = aligned
    n, f = (x.cpu() for x in first_order(frames, posteriors, of(SPLITS)))
    frames = frames.cpu()
    for i, (start, end) in enumerate(pairwise(SPLITS)):
        share = dense[start:end]
        np.testing.assert_allclose(n[i], share.sum(axis=0), atol=1e-5)
        expected = share.T @ frames[start:end].numpy()
        np.testing.assert_allclose(f[i], expected, atol=1e-4)
    assert n.dtype == f.dtype == torch.float32


def test_second_order_equals_the_definition(aligned):
    frames, posteriors, dense = aligned
    n, s = (x.cpu() for x in second_order(frames, posteriors))
    x = frames.cpu().numpy().astype(float)
    np.testing.assert_allclose(n, dense.sum(axis=0), rtol=1e-6)
    expected = np.einsum("tg,td,te->gde", dense, x, x)
    np.testing.assert_allclose(s, expected, atol=1e-4)
    assert n.dtype == s.dtype == torch.float64


def test_moments_are_what_the_utterances_sum_to(aligned):
    frames, posteriors, _ = aligned
    n, f = (x.cpu() for x in first_order(frames, posteriors, SPLITS))
    total_n, total_f, _ = (x.cpu() for x in moments(frames, posteriors))
    np.testing.assert_allclose(n.sum(dim=0), total_n, rtol=1e-5)
    np.testing.assert_allclose(f.sum(dim=0), total_f, atol=1e-4)


def test_no_frames_no_statistics(aligned):
    frames, _, _ = aligned
    nothing = Posteriors(
        torch.zeros(1, dtype=torch.int64, device=frames.device),
        torch.zeros(0, dtype=torch.int32, device=frames.device),
        torch.zeros(0, device=frames.device),
        num_gauss=9,
    )
    n, f = first_order(frames[:0], nothing, np.array([0, 0]))
    assert n.shape == (1, 9)
    assert f.shape == (1, 9, 4)
    assert not n.any()
    assert not second_order(frames[:0], nothing)[1].any()
