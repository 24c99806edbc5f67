import numpy as np
import pytest
import torch

from asdkit.gmm.selection import top_gaussians


@pytest.mark.parametrize("num_gauss", [20, 21, 96, 500, 512, 2048])
def test_selects_what_sorting_selects(rng, num_gauss, device):
    loglikes = rng.standard_normal((100, num_gauss)).astype(np.float32)
    expected = np.sort(np.argsort(-loglikes, axis=1)[:, :20], axis=1)
    found = top_gaussians(torch.from_numpy(loglikes).to(device), 20)
    np.testing.assert_array_equal(found.cpu(), expected)


def test_neighbors_may_all_be_best(rng):
    """The worst case of the grouping: the best Gaussians are dealt to few groups."""
    loglikes = rng.standard_normal((50, 512)).astype(np.float32)
    loglikes[:25, :40] += 100
    loglikes[25:, ::16] += 100
    expected = np.sort(np.argsort(-loglikes, axis=1)[:, :20], axis=1)
    found = top_gaussians(torch.from_numpy(loglikes), 20)
    np.testing.assert_array_equal(found, expected)


def test_ties_do_not_change_the_number(rng):
    found = top_gaussians(torch.zeros(7, 512), 20)
    assert found.shape == (7, 20)
    assert all(len(set(row.tolist())) == 20 for row in found)


def test_a_gaussian_that_cannot_be_is_selected_last(rng):
    loglikes = torch.full((3, 64), -torch.inf)
    loglikes[:, 5] = -1.0
    assert (top_gaussians(loglikes, 1) == 5).all()
    assert 5 in top_gaussians(loglikes, 4)[0]


def test_no_more_than_there_are():
    with pytest.raises(ValueError, match="5 of 4 Gaussians"):
        top_gaussians(torch.zeros(1, 4), 5)
