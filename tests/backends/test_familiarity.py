import numpy as np
import pytest

from asdkit.backends.familiarity import range_of, strange_columns


@pytest.fixture
def cosines(rng):
    return np.append(rng.normal(0, 0.1, 900), rng.normal(0.6, 0.15, 100))[:, None]


def test_the_range_is_that_of_every_column(rng):
    x = rng.normal(size=(1000, 2)) * [1, 5]
    seen = range_of(x)
    np.testing.assert_array_equal(seen[[0, 3]], [x.min(axis=0), x.max(axis=0)])
    assert [np.mean(x[:, 1] < seen[k, 1]).round(2) for k in (1, 2)] == [0.05, 0.95]


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x[:1],  # a single trial
        lambda x: x[:900],  # nontargets only
        lambda x: x[900:],  # targets only
        lambda x: 0.7 * x + 0.1,  # another domain
        lambda x: x * 1.3,
    ],
)
def test_other_trials_of_the_same_system_are_not_strange(cosines, change):
    names = ["scores"]
    assert strange_columns(change(cosines), range_of(cosines), names) == ([], [])


@pytest.mark.parametrize(
    "change",
    [
        lambda x: 100 * x - 50,  # PLDA's
        lambda x: x + 5,
        lambda x: x / 50,
    ],
)
def test_another_scale_is_far(cosines, change):
    far, odd = strange_columns(change(cosines), range_of(cosines), ["scores"])
    assert (len(far), odd) == (1, [])
    assert far[0].startswith("scores: ")


def test_a_little_out_of_range_is_odd(cosines):
    far, odd = strange_columns(cosines + 1.5, range_of(cosines), ["exp/scores"])
    assert far == []
    assert "where training was" in odd[0]
    assert strange_columns(cosines + 1.5, None, ["exp/scores"]) == ([], [])
