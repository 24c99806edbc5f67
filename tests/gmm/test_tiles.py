import numpy as np
import pytest
import torch

from asdkit.gmm.tiles import STEP, TALLEST, tiles


@pytest.mark.parametrize("num_gauss", [1, 7, 300, 40_000])
def test_every_pair_is_in_one_tile_of_its_gaussian(rng, num_gauss):
    pairs_of = rng.zipf(1.5, 5000) % num_gauss  # some with thousands, some with none
    seen = np.zeros(5001, dtype=int)
    for gauss, pairs in tiles(torch.from_numpy(pairs_of), num_gauss):
        assert pairs.shape[1] % STEP == 0
        assert pairs.shape[1] <= TALLEST
        owner = np.append(pairs_of, -1)[pairs]
        owner = np.where(owner == -1, gauss[:, None], owner)
        np.testing.assert_array_equal(owner, gauss[:, None].expand_as(pairs))
        np.add.at(seen, pairs.numpy(), 1)
    assert (seen[:-1] == 1).all()
    # the rest is padding, less than STEP rows for each Gaussian
    assert seen[-1] < STEP * len(np.unique(pairs_of))


def test_no_pairs_no_tiles():
    assert list(tiles(torch.empty(0, dtype=torch.int32), 5)) == []
