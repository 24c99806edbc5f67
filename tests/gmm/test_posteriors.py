"""Posteriors in compressed rows, beside the table that they stand for."""

import numpy as np
import torch

from asdkit.gmm.posteriors import Posteriors


def compress(dense):
    """(T, G) posteriors -> rows of those above zero."""
    t, gauss = np.nonzero(dense)
    counts = np.bincount(t, minlength=len(dense))
    return Posteriors(
        torch.from_numpy(np.concatenate([[0], np.cumsum(counts)])),
        torch.from_numpy(gauss.astype(np.int32)),
        torch.from_numpy(dense[t, gauss]),
        dense.shape[1],
    )


def test_every_pair_knows_its_frame(rng):
    """Frames may have one Gaussian, all of them, or none at all."""
    dense = rng.random((7, 5)).astype(np.float32)
    dense *= rng.random((7, 5)) < 0.5
    dense[2], dense[6], dense[3] = 0, 0, 1
    posteriors = compress(dense)
    frames = posteriors.frames()
    assert frames.dtype == torch.int64
    again = torch.zeros(7, 5)
    again[frames, posteriors.gauss.long()] = posteriors.values
    np.testing.assert_array_equal(again.numpy(), dense)


def test_no_frames_have_no_pairs():
    assert compress(np.zeros((0, 5), np.float32)).frames().tolist() == []
    assert compress(np.zeros((3, 5), np.float32)).frames().tolist() == []
