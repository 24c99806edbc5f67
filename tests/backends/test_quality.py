import numpy as np
import pytest

from asdkit.backends.measures import MEASURES
from asdkit.backends.quality import measure_pairs


@pytest.mark.parametrize("name", MEASURES)
def test_sides_may_be_swapped(rng, name):
    enroll, test = rng.uniform(1, 9, size=(2, 20))
    ours = measure_pairs(name, enroll, test)
    np.testing.assert_array_equal(ours, measure_pairs(name, test, enroll))
    assert np.all(ours[:, 0] <= ours[:, 1])


def test_durations_count_by_their_logarithm():
    pair = measure_pairs("duration", np.array([10.0]), np.array([1.0]))
    np.testing.assert_allclose(pair, [[0, np.log(10)]])
