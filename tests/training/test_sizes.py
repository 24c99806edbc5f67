"""Sizes grow with the data, and too little of it is refused with what was counted."""

import itertools

import pytest

from asdkit.base.errors import FitError
from asdkit.training.sizes import choose_sizes


def test_more_data_makes_larger_models():
    amounts = [(7, 300, 35), (20, 1000, 17), (80, 640, 38), (1200, 150_000, 20_000)]
    found = [choose_sizes(*amount) for amount in amounts]
    for (spks, _, minutes), sizes in zip(amounts, found, strict=True):
        assert sizes.lda_dim < min(spks, sizes.ivector_dim)
        assert 750 <= min(minutes, 512) * 6000 / sizes.num_gauss <= 3000
    assert found[-1] == (2048, 400, 240, 6)
    for less, more in itertools.pairwise(
        choose_sizes(50, n, 60) for n in (99, 1e3, 1e4)
    ):
        assert less.ivector_dim < more.ivector_dim
        assert less.num_epochs > more.num_epochs


def test_sizes_of_the_recipes_are_near_those_chosen_by_hand():
    synth = choose_sizes(80, 640, 38)
    assert synth.num_gauss in (64, 128)
    assert abs(synth.ivector_dim - 50) <= 10
    assert abs(synth.num_epochs - 20) <= 1
    ocean = choose_sizes(85, 1700, 122)
    assert ocean.num_gauss == 512
    assert abs(ocean.ivector_dim - 200) <= 30


@pytest.mark.parametrize("amount", [(3, 100, 10), (10, 30, 10), (10, 100, 2.9)])
def test_too_little_is_refused_with_what_was_counted(amount):
    with pytest.raises(FitError, match="counted {} speakers, {} utt".format(*amount)):
        choose_sizes(*amount)
