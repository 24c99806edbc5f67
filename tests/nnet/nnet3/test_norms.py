"""Components that normalize, or drop a part, beside their definitions."""

import numpy as np
import pytest
import torch

from asdkit.nnet.nnet3.norms import BatchNorm, Dropout, GeneralDropout, Normalize


@pytest.fixture
def x(rng):
    return rng.normal(2, 3, size=(2, 5, 6))


def apply(component, x):
    with torch.no_grad():
        return component(torch.from_numpy(x)).numpy()


@pytest.mark.parametrize("block", [3, 6])
def test_stored_statistics_normalize_blocks(make, rng, x, block):
    mean, var = rng.normal(size=block), rng.uniform(0.5, 2, block)
    fields = {"Dim": 6, "Epsilon": 0.01, "TargetRms": 0.7}
    norm = make(BatchNorm, **fields, StatsMean=mean, StatsVar=var)
    times = 6 // block
    expected = (x - np.tile(mean, times)) / np.sqrt(np.tile(var, times) + 0.01) * 0.7
    np.testing.assert_allclose(apply(norm, x), expected, atol=1e-6)


def test_in_training_they_are_the_batchs_and_the_stored_ones_follow(make, x):
    fields = {"Dim": 6, "Epsilon": 1e-9}
    norm = make(BatchNorm, **fields, StatsMean=np.zeros(6), StatsVar=np.ones(6)).train()
    found = apply(norm, x).reshape(-1, 6)
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(found.std(axis=0), 1, atol=1e-6)
    mean = x.reshape(-1, 6).mean(axis=0)
    np.testing.assert_allclose(norm.stats_mean.numpy(), 0.1 * mean, atol=1e-6)


@pytest.mark.parametrize("with_log", [False, True])
@pytest.mark.parametrize("block", [3, 6])
def test_a_frame_has_the_root_mean_square_that_is_wanted(make, x, block, with_log):
    fields = {"InputDim": 6, "BlockDim": block, "TargetRms": 0.5}
    found = apply(make(Normalize, **fields, AddLogStddev=with_log), x)
    blocks = x.reshape(2, 5, -1, block)
    rms = np.sqrt((blocks**2).mean(axis=3, keepdims=True))
    parts = [0.5 * blocks / rms, *([np.log(rms)] if with_log else [])]
    expected = np.concatenate(parts, axis=3).reshape(2, 5, -1)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert np.isfinite(apply(make(Normalize, InputDim=6), 0 * x)).all()


def test_dropout_keeps_the_expectation_as_kaldi_does(make, x):
    drop = make(Dropout, Dim=6, DropoutProportion=0.25)
    np.testing.assert_allclose(apply(drop, x), 0.75 * x)
    torch.manual_seed(0)
    ones = np.ones((1, 4000, 6))
    kept = apply(drop.train(), ones)
    assert set(np.unique(kept)) == {0, 1}
    assert kept.mean() == pytest.approx(0.75, abs=0.02)
    whole = make(Dropout, Dim=6, DropoutProportion=0.25, DropoutPerFrame=True).train()
    assert np.isin(apply(whole, ones).sum(axis=2), (0, 6)).all()


def test_a_mask_holds_for_a_period_and_a_block(make, x):
    fields = {"Dim": 6, "BlockDim": 3, "TimePeriod": 2, "DropoutProportion": 0.5}
    drop = make(GeneralDropout, **fields)
    np.testing.assert_array_equal(apply(drop, x), x)
    torch.manual_seed(0)
    mask = apply(drop.train(), np.ones((50, 5, 6)))
    assert set(np.unique(mask)) == {0, 2}
    np.testing.assert_array_equal(mask[..., :3], mask[..., 3:])
    np.testing.assert_array_equal(mask[:, 0], mask[:, 1])
    np.testing.assert_array_equal(mask[:, 2], mask[:, 3])
    assert (mask[:, 1] != mask[:, 2]).any()
    smooth = make(GeneralDropout, **fields, Continuous=True).train()
    factors = apply(smooth, np.ones((500, 5, 6)))
    assert factors.min() >= 0
    assert factors.max() <= 2
    assert factors.mean() == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize(
    ("kind", "fields", "message"),
    [
        (
            BatchNorm,
            {"StatsMean": np.ones(4), "StatsVar": np.ones(4)},
            "statistics of 4",
        ),
        (
            BatchNorm,
            {"StatsMean": np.ones(3), "StatsVar": np.ones(2)},
            "statistics of 3",
        ),
        (
            BatchNorm,
            {"StatsMean": np.ones(3), "StatsVar": np.ones(3), "Epsilon": 0.0},
            "an <Epsilon> that is not above 0",
        ),
        (Normalize, {"BlockDim": 4}, "6 dimensions, blocks of 4"),
        (GeneralDropout, {"BlockDim": 4}, "6 dimensions, blocks of 4"),
    ],
)
def test_blocks_that_do_not_fit_are_named(make, kind, fields, message):
    with pytest.raises(ValueError, match=message):
        make(kind, Dim=6, **fields)
