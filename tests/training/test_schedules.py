import itertools
import math

import pytest

from asdkit.losses.objective import ramp
from asdkit.training.schedules import average_share, best_share, rate_at


def test_the_exponential_rate_is_the_published_formula():
    """150 epochs of 100 steps, 6 of them to rise."""
    rates = [
        rate_at(step, 15000, learning_rate=1.0, final_rate=5e-4)
        for step in range(15000)
    ]
    for i in (0, 599, 600, 9000):
        decay = math.exp(i / 15000 * math.log(5e-4))
        assert rates[i] == pytest.approx(min(1, (i + 1) / 600) * decay)
    assert max(rates) == rates[599]
    assert rates[-1] == pytest.approx(5e-4, rel=1e-3)


@pytest.mark.parametrize("schedule", ["exponential", "cosine"])
def test_a_decay_ends_at_the_final_rate_and_never_rises_after_the_warmup(schedule):
    rates = [rate_at(step, 1000, 0.1, 1e-3, 0.1, schedule) for step in range(1001)]
    assert rates[1000] == pytest.approx(1e-3)
    assert all(a > b for a, b in itertools.pairwise(rates[100:]))


def test_cosine_is_half_way_down_in_the_middle():
    assert rate_at(50, 100, 0.2, 0.1, 0.0, "cosine") == pytest.approx(0.15)


def test_constant_is_constant_after_the_warmup():
    rates = [
        rate_at(step, 10, 0.3, warmup=0.2, schedule="constant") for step in range(10)
    ]
    assert rates == pytest.approx([0.15, *[0.3] * 9])


def test_a_ramp_is_zero_before_and_whole_after():
    values = [ramp(step, 100, 0.2, 0.2, 0.4) for step in range(101)]
    assert values[:21] == [0.0] * 21
    assert values[40:] == [0.2] * 61
    assert all(a < b for a, b in itertools.pairwise(values[20:41]))
    assert values[30] == pytest.approx(0.2 * (1 - 1e-3**0.5))


def test_a_ramp_without_length_is_a_jump():
    assert [ramp(step, 10, 1.0, 0.5, 0.5) for step in (4, 5)] == [0.0, 1.0]
    assert ramp(0, 10, 1.0) == 1.0


def averaged(values, **options):
    """Run a scalar average over values, one per step."""
    average = math.nan
    for step, value in enumerate(values):
        share = average_share(step, **options)
        if share:
            average = value if share == 1 else average + share * (value - average)
    return average


def test_epochs_is_the_mean_of_the_last_ends_of_epochs():
    values = list(range(40))
    options = {"steps_per_epoch": 4, "num_epochs": 10, "averaging": "epochs"}
    assert averaged(values, **options, averaged_epochs=3) == pytest.approx(
        (31 + 35 + 39) / 3
    )
    # More epochs than there are: all of them.
    assert averaged(values, **options, averaged_epochs=99) == pytest.approx(
        sum(values[3::4]) / 10
    )


def test_ema_is_a_mean_at_first_and_forgets_later():
    options = {"steps_per_epoch": 4, "num_epochs": 10, "averaging": "ema"}
    assert averaged([1.0, 2.0, 6.0], **options) == pytest.approx(3.0)
    step = 5000
    assert average_share(step, **options, ema_decay=0.99) == pytest.approx(0.01)


def test_none_averages_nothing():
    assert math.isnan(averaged([1.0] * 8, steps_per_epoch=4, num_epochs=2))


def test_the_best_mean_counts_the_epochs_that_were_the_best_so_far():
    """As the authors of AASIST: EERs of dev that equal the lowest one count, too."""
    errors = [math.nan, 0.4, 0.5, 0.4, math.nan, 0.3]
    shares = [best_share(errors[: n + 1], "best_mean") for n in range(len(errors))]
    assert shares == pytest.approx([0, 1, 0, 1 / 2, 0, 1 / 3])
    shares = [best_share(errors[: n + 1], "best") for n in range(len(errors))]
    assert shares == [0, 1, 0, 1, 0, 1]
    for other in ("none", "ema", "epochs"):
        assert best_share(errors, other) == 0
    for best in ("best", "best_mean"):
        assert not any(average_share(step, 4, 10, best) for step in range(40))
