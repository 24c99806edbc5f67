import sys

import pytest

from asdkit.training import progress as module
from asdkit.training.progress import Progress


def train_an_epoch(progress, num_steps=4):
    for step in progress.watch(range(num_steps)):
        progress.add(2, {"loss": float(step)}, {"rate": 0.1})
    return progress.end_epoch({"EER %": 12.5})


def test_an_epoch_is_one_line_of_means_values_and_results(tmp_path, caplog):
    caplog.set_level("INFO")
    progress = Progress(tmp_path, 4, 3, step=4)
    entry = train_an_epoch(progress)
    assert (entry["loss"], entry["rate"], entry["EER %"]) == (1.5, 0.1, 12.5)
    assert entry["step"] == 8
    (line,) = caplog.messages
    assert line.startswith("train: epoch 2/3: loss = 1.5, rate = 0.1, EER % = 12.5")
    assert "waiting %" in line


def test_long_epochs_have_lines_in_between(tmp_path, caplog, monkeypatch):
    caplog.set_level("INFO")
    monkeypatch.setattr(module, "LINE_SEC", 0.0)
    train_an_epoch(Progress(tmp_path, 4, 3))
    assert caplog.messages[1].startswith("train: epoch 1/3: step 2/4: loss = 0.5, ")


def test_a_terminal_has_a_bar(tmp_path, caplog, monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(module, "LINE_SEC", 0.0)
    caplog.set_level("INFO")
    progress = Progress(tmp_path, 4, 3)
    train_an_epoch(progress)
    progress.close()
    assert len(caplog.messages) == 1
    assert "epoch 1/3" in capsys.readouterr().err


def test_waiting_is_what_the_data_take(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(module.time, "perf_counter", lambda: now[0])

    def slow():
        for step in range(3):
            now[0] += 3
            yield step

    progress = Progress(tmp_path, 3, 1)
    for _ in progress.watch(slow()):
        now[0] += 1
        progress.add(5, {"loss": 1.0}, {})
    entry = progress.end_epoch({})
    assert entry["waiting %"] == 75
    assert entry["utts/s"] == 15 / 12


def test_points_go_to_tensorboard_where_it_is(tmp_path, monkeypatch):
    points = []

    class Board:
        def add_scalar(self, name, value, step):
            points.append((name, value, step))

        def flush(self):
            pass

        def close(self):
            pass

    monkeypatch.setattr(module, "_open_board", lambda directory, step: Board())
    monkeypatch.setattr(module, "SCALAR_STEPS", 2)
    progress = Progress(tmp_path, 4, 3)
    train_an_epoch(progress)
    progress.close()
    assert ("train/loss", 1.0, 2) in points
    assert ("train/rate", 0.1, 4) in points
    assert ("epoch/EER %", 12.5, 4) in points


def test_tensorboard_reads_what_was_written_and_resuming_replaces_it(tmp_path):
    accumulator = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator"
    )

    def points():
        board = accumulator.EventAccumulator(str(tmp_path / "tensorboard"))
        board.Reload()
        return {
            name: [(event.step, event.value) for event in board.Scalars(name)]
            for name in ("train/loss", "epoch/EER %")
        }

    progress = Progress(tmp_path, 20, 3)
    train_an_epoch(progress, 20)
    progress.close()
    assert points() == {
        "train/loss": [(10, 9.0), (20, 19.0)],
        "epoch/EER %": [(20, 12.5)],
    }
    killed = Progress(tmp_path, 20, 3, step=5)  # resumed from an older checkpoint
    train_an_epoch(killed, 15)
    killed.close()
    assert points() == {
        "train/loss": [(10, 4.0), (20, 14.0)],
        "epoch/EER %": [(20, 12.5)],
    }
