import numpy as np
import pytest
import torch

from asdkit.ivector import quadratic
from asdkit.ivector.quadratic import solve_quadratic

G, D, R = 6, 4, 9


def define(r, y, m, covar):
    """Kaldi's SolveQuadraticMatrixProblem with its defaults, step by step.

    Returns M, the auxiliary function before and after, and how many were floored.
    """
    scale = np.diag(r) ** 0.5
    q = r / scale / scale[:, None]
    y, m = y / scale, m * scale
    values, u = np.linalg.eigh(q)
    floor = values.max() / 1e4
    floored = np.maximum(values, floor)
    found = m + (y - m @ q) @ u / floored @ u.T

    def objective(m):
        inverse = np.linalg.inv(covar)
        return np.trace(m.T @ inverse @ y) - np.trace(inverse @ m @ q @ m.T) / 2

    before, after = objective(m), objective(found)
    return (found if after >= before else m) / scale, before, after, sum(values < floor)


@pytest.fixture
def problem(rng):
    """Systems whose R have these least eigenvalues, after the preconditioner or so."""

    def problem(least):
        r = np.empty((G, R, R))
        for i in range(G):
            q = np.linalg.qr(rng.normal(size=(R, R)))[0]
            values = np.append(rng.uniform(1, 3, R - 2), [least, least])
            spread = np.exp(rng.normal(0, 2, R))
            r[i] = spread[:, None] * ((q * values) @ q.T) * spread
        root = rng.normal(size=(G, D, D))
        covars = root @ root.swapaxes(1, 2) + np.eye(D)
        m = rng.normal(size=(G, D, R))
        y = (
            m @ r
            + rng.normal(size=(G, D, R)) * np.sqrt(np.einsum("gii->gi", r))[:, None]
        )
        return r, y, m, covars

    return problem


def solve(*arrays):
    return solve_quadratic(*(torch.from_numpy(x.copy()) for x in arrays))


@pytest.mark.parametrize("least", [1.0, 1e-2, 1e-5, 1e-9, 0.0, -1e-7])
def test_it_is_what_kaldi_does(problem, least):
    r, y, m, covars = problem(least)
    found = solve(r, y, m, covars)
    assert not found.is_kept.any()
    for i in range(G):
        expected, before, after, number = define(r[i], y[i], m[i], covars[i])
        assert after > before
        assert found.num_floored[i] == number
        assert (number > 0) == (least < 1e-4)
        np.testing.assert_allclose(found.m[i], expected, rtol=1e-6, atol=1e-9)
        cross = expected @ y[i].T
        explained = cross + cross.T - expected @ r[i] @ expected.T
        size = np.abs(explained).max()
        np.testing.assert_allclose(found.explained[i], explained, atol=1e-8 * size)


def test_where_nothing_is_floored_the_solution_is_the_plain_one(problem):
    r, y, m, covars = problem(1e-3)
    found = solve(r, y, m, covars)
    chol = torch.linalg.cholesky(torch.from_numpy(r))
    half = torch.linalg.solve_triangular(chol, torch.from_numpy(y).mT, upper=False)
    plain = torch.linalg.solve_triangular(chol.mT, half, upper=True).mT
    assert torch.equal(found.m, plain)
    assert torch.equal(found.explained, half.mT @ half)


def test_one_system_does_not_change_another(problem):
    good, bad = problem(1.0), problem(1e-9)
    mixed = [np.where(np.arange(G).reshape(-1, 1, 1) == 2, b, g)
             for g, b in zip(good, bad, strict=True)]  # fmt: skip
    found, alone, low = solve(*mixed), solve(*good), solve(*bad)
    assert found.num_floored.tolist() == [0, 0, 2, 0, 0, 0]
    for i in range(G):
        expected = low if i == 2 else alone
        torch.testing.assert_close(found.m[i], expected.m[i])


def test_m_stays_where_the_auxiliary_function_would_fall(problem, monkeypatch):
    """Without a floor, a negative eigenvalue leads to a saddle."""
    monkeypatch.setattr(quadratic, "MAX_CONDITION", -1.0)
    r, y, m, covars = problem(-0.05)
    found = solve(r, y, m, covars)
    assert found.is_kept.any()
    kept = found.is_kept.numpy()
    np.testing.assert_allclose(found.m[kept], m[kept], rtol=1e-12)


@pytest.mark.parametrize("size", [5, 60, 400])
def test_no_low_eigenvalue_is_missed_and_few_are_suspected(rng, size):
    """At and just above the floor, where single precision decides."""
    for ratio, is_low in [(0.9, True), (0.999, True), (3.0, False), (30.0, False)]:
        values = np.append(rng.uniform(0.5, 1.0, size - 2), [1.0, ratio / 1e4])
        q = np.linalg.qr(rng.normal(size=(size, size)))[0]
        c = torch.from_numpy((q * values) @ q.T)[None]
        ones = torch.ones(1, size, dtype=torch.float64)
        found = quadratic._may_be_low(c, ones).item()
        assert found or not is_low
        assert found is is_low or size == 5 or ratio < 30
