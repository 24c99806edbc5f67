import numpy as np
import pytest
import torch

from asdkit.ivector.em import (
    EmStats,
    average_posterior_precision,
    minimize_divergence,
    update_covars,
    update_projections,
)
from asdkit.ivector.symmetric import unpack


def collect(drawn, extractor, define):
    """Sum what the definition of the model gives: R_i, Y_i, and w and w w'."""
    num_gauss, dim, rank = extractor.m_.shape
    r, y = np.zeros((num_gauss, rank, rank)), np.zeros((num_gauss, dim, rank))
    w, ww = np.zeros(rank), np.zeros((rank, rank))
    for n, f in zip(drawn.n.double().numpy(), drawn.f.double().numpy(), strict=True):
        mean, covar = define(extractor, n, f)
        second = covar + np.outer(mean, mean)
        r += n[:, None, None] * second
        y += f[:, :, None] * mean
        w += mean
        ww += second
    return r, y, w, ww


@pytest.mark.parametrize(("precision", "rtol"), [("float64", 1e-8), ("float32", 1e-4)])
def test_an_update_equals_its_definition(draw, make, define, precision, rtol):
    """M = Y R^-1 and the scatter of x - M w, with the statistics of w as it is."""
    drawn = draw()
    extractor = make(drawn, precision=precision)
    r, y, _, _ = collect(drawn, extractor, define)
    stats = extractor.accumulate(drawn.batches)
    m = extractor.m_.copy()
    update = update_projections(
        m, extractor.covars_, float(extractor.offset_), stats, drawn.totals, 1.0
    )
    assert not update.num_floored.any()
    expected = y @ np.linalg.inv(r)
    np.testing.assert_allclose(m, expected, rtol=0, atol=rtol * np.abs(expected).max())
    ym = y @ expected.swapaxes(1, 2)
    expected = drawn.totals.s.numpy() - ym - ym.swapaxes(1, 2)
    expected += m @ r @ m.swapaxes(1, 2)
    atol = rtol * np.abs(expected).max()
    np.testing.assert_allclose(update.scatter, expected, atol=atol)


def test_an_update_leaves_the_statistics_as_they_are(draw, make):
    """In float64 a conversion without a copy once changed them."""
    drawn = draw()
    extractor = make(drawn)
    stats = extractor.accumulate(drawn.batches)
    before = [x.clone() for x in stats]
    extractor.update(stats, drawn.totals)
    for ours, theirs in zip(stats, before, strict=True):
        assert torch.equal(ours, theirs)


def test_statistics_of_parts_add_up(draw, make):
    drawn = draw()
    extractor = make(drawn)
    first = extractor.accumulate(drawn.batches[:1])
    rest = extractor.accumulate(drawn.batches[1:])
    whole = extractor.accumulate([(drawn.n, drawn.f)])
    for ours, theirs in zip(first + rest, whole, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_sums_over_utterances_are_wide_where_they_decide():
    stats = EmStats.zeros((3, 2, 4), torch.float32, "cpu")
    wide = {
        name
        for name in ("a", "y", "b", "v", "vv", "loglike")
        if getattr(stats, name).dtype == torch.float64
    }
    assert wide == {"b", "v", "vv", "loglike"}


def test_a_gaussian_with_few_frames_is_not_updated(draw, make):
    drawn = draw()
    n = drawn.totals.n.clone()
    n[2] = 99.5
    totals = drawn.totals._replace(n=n)
    extractor = make(drawn)
    m, covars = extractor.m_.copy(), extractor.covars_.copy()
    stats = extractor.accumulate(drawn.batches)
    update = update_projections(
        m, covars, float(extractor.offset_), stats, totals, 100.0
    )
    update_covars(covars, update.scatter, n, 100.0, 0.1)
    same = [np.array_equal(x, y) for x, y in zip(m, extractor.m_, strict=True)]
    assert same == [i == 2 for i in range(8)]
    same = [
        np.array_equal(x, y) for x, y in zip(covars, extractor.covars_, strict=True)
    ]
    assert same == [i == 2 for i in range(8)]


def test_no_covariance_has_a_direction_below_the_floor(rng):
    """The floor is a tenth of the average; what lies above it stays as it is."""
    root = rng.standard_normal((6, 4, 4))
    covar = root @ root.swapaxes(1, 2) + np.eye(4)
    covar[3] = np.diag([5.0, 4.0, 3.0, 1e-3])
    n = rng.uniform(200, 300, 6)
    updated = np.zeros_like(covar)
    scatter = torch.from_numpy(n[:, None, None] * covar)
    num_floored = update_covars(updated, scatter, torch.from_numpy(n), 100.0, 0.1)
    floor = 0.1 * np.average(covar, axis=0, weights=n)
    relative = [np.linalg.eigvals(np.linalg.solve(floor, x)).real for x in updated]
    assert np.min(relative) == pytest.approx(1.0)
    before = [np.linalg.eigvals(np.linalg.solve(floor, x)).real.min() for x in covar]
    low = np.array(before) < 1
    assert low[3]
    assert num_floored == low.sum()
    np.testing.assert_allclose(updated[~low], covar[~low], rtol=1e-12)


def test_minimum_divergence_makes_the_average_posterior_the_prior(draw, make, define):
    drawn = draw()
    extractor = make(drawn)
    _, _, w, ww = collect(drawn, extractor, define)
    stats = extractor.accumulate(drawn.batches)
    m = extractor.m_.copy()
    offset = minimize_divergence(
        m, extractor.covars_, extractor.weights_, 30.0, stats, 200
    )
    # M w does not change, so M tells what became of w.
    flat, before = m.reshape(-1, 5), extractor.m_.reshape(-1, 5)
    transform = np.linalg.lstsq(flat, before)[0]  # new w = transform @ w
    np.testing.assert_allclose(flat @ transform, before, atol=1e-10)
    np.testing.assert_allclose(transform @ w / 200, offset * np.eye(5)[0], atol=1e-8)
    covar = ww / 200 - np.outer(w, w) / 200**2
    np.testing.assert_allclose(transform @ covar @ transform.T, np.eye(5), atol=1e-8)


def test_the_average_precision_equals_its_definition(draw, make):
    extractor = make(draw(num_utts=5))
    expected = sum(
        weight * m.T @ np.linalg.solve(covar, m)
        for weight, m, covar in zip(
            extractor.weights_, extractor.m_, extractor.covars_, strict=True
        )
    )
    parts = extractor.m_, extractor.covars_, extractor.weights_
    np.testing.assert_allclose(average_posterior_precision(*parts), expected)


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("step", [0, 1, 2])
def test_a_step_is_kaldis(kaldi_statistics, read_extractor, step, precision, device):
    """Up to the sign of axes, which the eigenvalue solver chooses."""
    _, n, f, totals = kaldi_statistics
    totals = totals._replace(**{k: getattr(totals, k).to(device) for k in "nfs"})
    ours, theirs = read_extractor(step, precision), read_extractor(step + 1)
    batches = [(n.to(device), f.to(device))]
    ours.update(ours.accumulate(batches, device), totals)
    sign = np.sign((ours.m_ * theirs.m_).sum((0, 1)))
    assert sign[0] == 1
    scale = np.abs(theirs.m_).max((0, 1))  # (R,) of every column
    assert np.all(np.abs(ours.m_ * sign - theirs.m_) <= 1e-4 * scale)
    scale = np.abs(theirs.covars_).max((1, 2), keepdims=True)
    assert np.all(np.abs(ours.covars_ - theirs.covars_) <= 1e-5 * scale)
    assert float(ours.offset_) == pytest.approx(float(theirs.offset_), rel=1e-5)


def test_packed_second_moments_are_those_of_w(draw, make, define):
    drawn = draw()
    extractor = make(drawn)
    _, _, w, ww = collect(drawn, extractor, define)
    stats = extractor.accumulate(drawn.batches)
    offset = 30 * np.eye(5)[0]
    v = w - 200 * offset
    np.testing.assert_allclose(stats.v, v, atol=1e-8)
    expected = ww - np.outer(offset, v) - np.outer(v, offset)
    expected -= 200 * np.outer(offset, offset)
    np.testing.assert_allclose(unpack(stats.vv[None], 5)[0], expected, atol=1e-7)
