"""Running averages of batch normalization, beside those of the batches themselves."""

import copy

import pytest
import torch
from torch import nn

from asdkit.training.batchnorm import RunningAverages


@pytest.fixture
def batches():
    return 0.005 * torch.randn(30, 16, 3, generator=torch.manual_seed(0)) + 2


def run(model, batches):
    averages = RunningAverages(model)
    for batch in batches:
        averages.prepare()
        model(batch)


def test_young_averages_are_those_of_all_batches(batches):
    norm = nn.BatchNorm1d(3)
    run(norm, batches[:7])
    torch.testing.assert_close(norm.running_mean, batches[:7].mean(dim=(0, 1)))
    torch.testing.assert_close(norm.running_var, batches[:7].var(dim=1).mean(dim=0))


def test_old_ones_move_by_a_tenth(batches):
    norm = nn.BatchNorm1d(3)
    run(norm, batches[:29])
    assert norm.momentum == 0.1
    before = copy.deepcopy(norm)
    run(norm, batches[29:])
    before(batches[29])
    assert torch.equal(norm.running_var, before.running_var)


def test_small_variances_are_found_before_0_9_to_the_n_is_small(batches):
    norm, plain = nn.BatchNorm1d(3), nn.BatchNorm1d(3)
    run(norm, batches)
    for batch in batches:
        plain(batch)
    truth = batches.var(dim=1).mean(dim=0)
    torch.testing.assert_close(norm.running_var, truth, rtol=0.2, atol=0)
    assert (plain.running_var > 100 * truth).all()


def test_a_trained_network_keeps_what_it_has(batches):
    trained = nn.BatchNorm1d(3)
    run(trained, batches)
    norm = nn.BatchNorm1d(3)
    norm.load_state_dict(trained.state_dict())
    run(norm, batches[:1] + 1)
    expected = trained.running_mean + 0.1 * (
        batches[0].mean(0) + 1 - trained.running_mean
    )
    torch.testing.assert_close(norm.running_mean, expected)


def test_averages_over_all_steps_and_none_at_all_are_left_alone(batches):
    model = nn.Sequential(
        nn.BatchNorm1d(3, momentum=None), nn.BatchNorm1d(3, track_running_stats=False)
    )
    run(model, batches[:3])
    assert model[0].momentum is None
