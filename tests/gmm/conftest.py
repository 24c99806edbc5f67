"""Kaldi's training frames and mixtures, as tensors and estimators."""

import numpy as np
import pytest
import torch

from asdkit.features.frontend import FrontEnd
from asdkit.gmm.diagonal import DiagGmm
from asdkit.gmm.full import FullGmm
from asdkit.io.ark import read_arrays
from asdkit.io.kaldi import read_diag_gmm, read_full_gmm
from asdkit.io.kaldi_posteriors import read_gselect
from asdkit.ivector.kaldi_format import diag_gmm_from_kaldi, full_gmm_from_kaldi


@pytest.fixture
def kaldi_frames(golden):
    """(5737, 72) voiced frames of the training recordings, utterance by utterance."""
    voiced = dict(read_arrays(f"ark:{golden}/feats/vad_train.ark"))
    feats = read_arrays(f"ark:{golden}/feats/mfcc_train.ark")
    frames = [FrontEnd()(x, voiced[utt] > 0) for utt, x in feats]
    return torch.from_numpy(np.concatenate(frames))


@pytest.fixture
def read_diag(golden):
    """Read a diagonal mixture of the golden folder."""
    return lambda name: diag_gmm_from_kaldi(read_diag_gmm(golden / name), name)


@pytest.fixture
def read_full(golden):
    """Read a full mixture of the golden folder."""
    return lambda name: full_gmm_from_kaldi(read_full_gmm(golden / name), name)


@pytest.fixture
def read_selection(golden):
    """Read a selection of 8 Gaussians per frame: (T, 8)."""

    def read(name):
        selected = np.concatenate([x.gauss for _, x in read_gselect(golden / name)])
        return torch.from_numpy(selected).long().view(-1, 8)

    return read


@pytest.fixture
def draw_diag(rng):
    """Draw frames from a diagonal mixture, well or hardly separated."""

    def draw(num_frames, num_gauss=4, dim=3, spread=5.0):
        weights = rng.dirichlet(np.full(num_gauss, 20.0))
        means = spread * rng.standard_normal((num_gauss, dim))
        variances = rng.uniform(0.5, 2.0, (num_gauss, dim))
        gmm = DiagGmm.of(weights, means, variances)
        owner = rng.choice(num_gauss, num_frames, p=weights)
        noise = rng.standard_normal((num_frames, dim))
        x = means[owner] + np.sqrt(variances[owner]) * noise
        return gmm, torch.from_numpy(x.astype(np.float32))

    return draw


@pytest.fixture
def draw_full(rng):
    """Draw frames from a mixture with full covariances."""

    def draw(num_frames, num_gauss=4, dim=3, spread=5.0):
        weights = rng.dirichlet(np.full(num_gauss, 20.0))
        means = spread * rng.standard_normal((num_gauss, dim))
        root = np.eye(dim) + 0.2 * rng.standard_normal((num_gauss, dim, dim))
        owner = rng.choice(num_gauss, num_frames, p=weights)
        noise = rng.standard_normal((num_frames, dim, 1))
        x = means[owner] + (root[owner] @ noise)[:, :, 0]
        gmm = FullGmm.of(weights, means, root @ root.swapaxes(1, 2))
        return gmm, torch.from_numpy(x.astype(np.float32))

    return draw
