"""Statistics drawn from a known model, Kaldi's statistics, and plain definitions."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from asdkit.features.frontend import FrontEnd
from asdkit.gmm.posteriors import Posteriors
from asdkit.gmm.statistics import first_order, moments
from asdkit.io.ark import read_arrays
from asdkit.io.kaldi import read_ivector_extractor
from asdkit.io.kaldi_posteriors import read_posteriors
from asdkit.ivector.em import Totals
from asdkit.ivector.extractor import IvectorExtractor
from asdkit.ivector.kaldi_format import extractor_from_kaldi


@pytest.fixture
def draw(rng):
    """Draw utterances of a total-variability model; each frame has one Gaussian."""

    def draw(num_utts=200, num_gauss=8, dim=4, rank=3, frames=(100, 200), size=0.5):
        means = 2 * rng.standard_normal((num_gauss, dim))
        root = np.eye(dim) + 0.3 * rng.standard_normal((num_gauss, dim, dim))
        t = size * rng.standard_normal((num_gauss, dim, rank))
        n = np.zeros((num_utts, num_gauss))
        f = np.zeros((num_utts, num_gauss, dim))
        s = np.zeros((num_gauss, dim, dim))
        utts = []
        for u in range(num_utts):
            g = rng.integers(num_gauss, size=rng.integers(*frames))
            noise = root[g] @ rng.standard_normal((len(g), dim, 1))
            x = means[g] + t[g] @ rng.standard_normal(rank) + noise[:, :, 0]
            np.add.at(n[u], g, 1)
            np.add.at(f[u], g, x)
            np.add.at(s, g, x[:, :, None] * x[:, None, :])
            utts.append((g, x))
        total = n.sum(0)
        mean = f.sum(0) / total[:, None]
        covars = s / total[:, None, None] - mean[:, :, None] * mean[:, None]
        n, f = torch.from_numpy(n).float(), torch.from_numpy(f).float()
        sums = n.double().sum(0), f.double().sum(0), torch.from_numpy(s)
        return SimpleNamespace(
            ubm=SimpleNamespace(
                means_=mean, covars_=covars, weights_=total / total.sum()
            ),
            batches=[(n[i : i + 64], f[i : i + 64]) for i in range(0, num_utts, 64)],
            totals=Totals(num_utts, *sums),
            t=t,
            residual=root @ root.swapaxes(1, 2),
            utts=utts,
            n=n,
            f=f,
        )

    return draw


@pytest.fixture
def make(rng):
    """Make some extractor for drawn statistics, as it may be after a while of EM."""

    def make(drawn, rank=5, precision="float64"):
        extractor = IvectorExtractor(ivector_dim=rank, precision=precision)
        num_gauss, dim = drawn.ubm.means_.shape
        root = np.eye(dim) + 0.3 * rng.standard_normal((num_gauss, dim, dim))
        extractor.m_ = 0.3 * rng.standard_normal((num_gauss, dim, rank))
        extractor.m_[:, :, 0] = drawn.ubm.means_ / 30
        extractor.covars_ = root @ root.swapaxes(1, 2) + 0.3 * np.eye(dim)
        extractor.weights_ = rng.dirichlet(np.ones(num_gauss))
        extractor.offset_ = np.array(30.0)
        extractor.loglikes_ = np.zeros(0)
        return extractor

    return make


@pytest.fixture
def define():
    """Compute the posterior of w for one utterance as the model defines it."""

    def define(extractor, n, f):
        """(G,) n and (G, D) f, not centered -> (R,) mean and (R, R) covariance."""
        prior = np.zeros(extractor.m_.shape[2])
        prior[0] = extractor.offset_
        precision, linear = np.eye(len(prior)), prior
        for i, m in enumerate(extractor.m_):
            scaled = m.T @ np.linalg.inv(extractor.covars_[i])
            precision = precision + float(n[i]) * scaled @ m
            linear = linear + scaled @ np.asarray(f[i], dtype=np.float64)
        covar = np.linalg.inv(precision)
        return covar @ linear, covar

    return define


@pytest.fixture
def kaldi_statistics(golden):
    """The statistics that Kaldi's posteriors give: utterances, n, f and totals."""
    posteriors = dict(read_posteriors(golden / "extractor/post.train.gz"))
    voiced = dict(read_arrays(f"ark:{golden}/feats/vad_train.ark"))
    utts, batches, sums = [], [], []
    for utt, feats in read_arrays(f"ark:{golden}/feats/mfcc_train.ark"):
        x = torch.from_numpy(FrontEnd()(feats, voiced[utt] > 0))
        lists = posteriors[utt]
        parts = (torch.from_numpy(np.array(part)) for part in lists)
        aligned = Posteriors(*parts, num_gauss=8)
        utts.append(utt)
        batches.append(first_order(x, aligned, np.array([0, len(x)])))
        sums.append(moments(x, aligned))
    n, f = (torch.cat(parts) for parts in zip(*batches, strict=True))
    totals = [torch.stack(parts).sum(0) for parts in zip(*sums, strict=True)]
    return utts, n, f, Totals(len(utts), *totals)


@pytest.fixture
def read_extractor(golden):
    """Read an extractor of the golden folder."""

    def read(step, precision="float32"):
        path = golden / f"extractor/{step}.ie"
        extractor = extractor_from_kaldi(read_ivector_extractor(path), path)
        extractor.precision = precision
        return extractor

    return read
