"""What the loop's tests do not show of checkpoints."""

import pytest
import torch

from asdkit.base.errors import DataError
from asdkit.io.tensors import load_tensors, save_tensors
from asdkit.training.averaging import WeightAverage
from asdkit.training.checkpoint import KIND, Checkpoints, TrainingState, seed_step


@pytest.fixture
def state():
    model = torch.nn.Linear(2, 2)
    optimizer = torch.optim.SGD(model.parameters(), 0.1, 0.9)
    scaler = torch.amp.GradScaler("cpu", enabled=False)
    return TrainingState(model, [optimizer], scaler, WeightAverage(), "cpu")


def save(directory, state, *steps):
    checkpoints = Checkpoints(directory, {"a": (1, 2)})
    for step in steps:
        state.step = step
        checkpoints.save(state)


def test_the_last_two_are_kept_in_the_order_of_their_numbers(tmp_path, state):
    save(tmp_path, state, 8, 9, 10)
    assert {path.name for path in tmp_path.iterdir()} == {
        "checkpoint.9.pt",
        "checkpoint.10.pt",
    }
    state.step = 0
    Checkpoints(tmp_path, {"a": (1, 2)}).restore(state)
    assert state.step == 10


def test_a_damaged_one_gives_way_to_the_one_before(tmp_path, state, caplog):
    save(tmp_path, state, 4, 5)
    flipped = bytearray((tmp_path / "checkpoint.5.pt").read_bytes())
    weight = state.model.weight.detach().numpy().tobytes()
    flipped[flipped.index(weight)] ^= 1  # torch would take it as it is
    (tmp_path / "checkpoint.5.pt").write_bytes(flipped)
    Checkpoints(tmp_path, {"a": (1, 2)}).restore(state)
    assert state.step == 4
    state.step = 0
    (tmp_path / "checkpoint.5.pt").write_bytes(b"PK")
    Checkpoints(tmp_path, {"a": (1, 2)}).restore(state)
    assert state.step == 4
    assert "checkpoint.5.pt" in caplog.text
    (tmp_path / "checkpoint.4.pt").write_bytes(b"PK")
    with pytest.raises(
        DataError, match=r"checkpoint\.4\.pt: not an asdkit file"
    ) as caught:
        Checkpoints(tmp_path, {"a": (1, 2)}).restore(state)
    assert caught.value.hint == f"remove {tmp_path} to begin anew"


def test_one_that_lacks_something_is_as_damaged(tmp_path, state, caplog):
    save(tmp_path, state, 4, 5)
    path = tmp_path / "checkpoint.5.pt"
    options, tensors = load_tensors(path, KIND)
    for name in tensors:
        less = {key: value for key, value in tensors.items() if key != name}
        save_tensors(path, KIND, options, less)
        Checkpoints(tmp_path, {"a": (1, 2)}).restore(state)
        assert state.step == 4
        assert f"checkpoint.5.pt: it lacks {name!r}" in caplog.text


def test_what_a_killed_writer_left_is_removed(tmp_path, state):
    left = tmp_path / ".checkpoint.5.pt.123.tmp"
    left.write_bytes(b"half")
    Checkpoints(tmp_path, {}).restore(state)
    assert not left.exists()
    assert state.step == 0


def test_one_is_due_after_so_many_minutes(tmp_path, monkeypatch):
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    checkpoints = Checkpoints(tmp_path, {}, minutes=2)
    assert not checkpoints.is_due()
    now[0] += 120
    assert checkpoints.is_due()


def test_random_numbers_are_of_seed_step_and_rank(monkeypatch):
    def draw(seed, step, rank):
        monkeypatch.setenv("WORLD_SIZE", "2")
        monkeypatch.setenv("RANK", str(rank))
        seed_step(seed, step)
        return torch.rand(3).tolist()

    drawn = [draw(*key) for key in [(0, 5, 0), (0, 5, 1), (0, 6, 0), (1, 5, 0)]]
    assert len({tuple(numbers) for numbers in drawn}) == 4
    assert draw(0, 5, 0) == drawn[0]
