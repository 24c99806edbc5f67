import pytest
import torch
from torch import nn

from asdkit.training.averaging import WeightAverage


@pytest.fixture
def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))


def test_shares_of_one_over_n_give_the_mean_of_weights_and_statistics(model, rng):
    average, seen = WeightAverage(), []
    for n in range(1, 5):
        model(torch.from_numpy(rng.normal(size=(8, 3)).astype("float32")))
        with torch.no_grad():
            model[0].weight += n
        seen.append({k: v.clone() for k, v in model.state_dict().items()})
        average.move(model, 1 / n)
    for name, value in average.weights.items():
        if value.is_floating_point():
            mean = torch.stack([state[name] for state in seen]).mean(dim=0)
            torch.testing.assert_close(value, mean)
    assert average.weights["1.num_batches_tracked"] == 4


def test_nothing_moves_before_it_begins(model):
    average = WeightAverage()
    average.move(model, 0.0)
    assert not average.weights
    before = model[0].weight.clone()
    with average.lent(model):
        assert torch.equal(model[0].weight, before)
    average.apply(model)
    assert torch.equal(model[0].weight, before)


def test_the_average_is_lent_and_taken_back_even_after_an_error(model):
    average = WeightAverage()
    average.move(model, 1.0)
    old = model[0].weight.clone()
    with torch.no_grad():
        model[0].weight += 1
    new = model[0].weight.clone()

    def look_and_fail():
        with average.lent(model):
            assert torch.equal(model[0].weight, old)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        look_and_fail()
    assert torch.equal(model[0].weight, new)
