import math

import pytest
import torch

from asdkit.base.errors import FitError
from asdkit.batches.batches import Batch
from asdkit.training.nonfinite import refuse_nonfinite


@pytest.fixture
def batch():
    lengths = torch.full((3,), 4)
    return Batch(["a", "b", "c"], torch.zeros(3, 4, 2), lengths, torch.arange(3))


def test_finite_values_pass_and_leave_nothing(tmp_path, batch):
    refuse_nonfinite(tmp_path, 7, batch, {"loss": 1.0, "norm": 0.0})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_the_culprits_are_named_and_the_batch_is_kept(tmp_path, batch, value):
    batch.feats[1, 2, 0] = math.nan
    with pytest.raises(FitError, match=f"step 7: loss = {value}; features hold NaN.*b"):
        refuse_nonfinite(tmp_path, 7, batch, {"loss": value, "norm": 1.0})
    saved = torch.load(tmp_path / "bad_batch.pt", weights_only=True)
    assert saved["tensors"]["utts"] == ["a", "b", "c"]
    assert saved["tensors"]["feats"][1, 2, 0].isnan()


def test_healthy_features_point_to_the_learning_rate(tmp_path, batch):
    with pytest.raises(FitError, match="all features of the batch are finite") as error:
        refuse_nonfinite(tmp_path, 7, batch, {"norm": math.inf})
    assert "--learning-rate" in error.value.hint


def test_ranks_keep_their_own_batches(tmp_path, batch, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    with pytest.raises(FitError, match=r"bad_batch\.1\.pt"):
        refuse_nonfinite(tmp_path, 0, batch, {"loss": math.nan})
    assert (tmp_path / "bad_batch.1.pt").exists()
