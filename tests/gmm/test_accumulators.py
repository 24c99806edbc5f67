import pytest
import torch

from asdkit.base.errors import FitError
from asdkit.gmm.accumulators import GmmStats


def test_no_frames_are_an_error():
    with pytest.raises(FitError, match="there are no frames to train on"):
        GmmStats.zeros(4, 3, full=True, device="cpu").all_reduce()


def test_adding_leaves_the_terms_alone():
    one = GmmStats.zeros(4, 3, full=False, device="cpu")
    one.n.add_(1)
    two = one + one
    assert two.n.tolist() == [2] * 4
    two += one
    assert two.n.tolist() == [3] * 4
    assert one.n.tolist() == [1] * 4


def test_a_sum_over_ranks_leaves_the_terms_alone_and_takes_any_layout():
    part = GmmStats.zeros(4, 3, full=False, device="cpu")
    table = torch.ones(4, 7, dtype=torch.float64)
    part = GmmStats(table[:, 6], table[:, :3], table[:, 3:6], part.loglike)
    assert part.all_reduce().n.sum() == 4
    assert part.all_reduce().loglike_per_frame == 0
