import json
from pathlib import Path

import pytest

from asdkit.base.errors import DataError
from asdkit.io.run_costs import append_run_cost, read_run_costs


def test_runs_are_kept_in_their_order_in_or_beside_the_output(tmp_path):
    append_run_cost(tmp_path, {"wall_sec": 1.5})
    append_run_cost(tmp_path / "plda.npz", {"wall_sec": 0.5, "energy_wh": None})
    assert read_run_costs(tmp_path) == [
        {"output": str(tmp_path), "wall_sec": 1.5},
        {"output": str(tmp_path / "plda.npz"), "wall_sec": 0.5, "energy_wh": None},
    ]


def test_a_damaged_line_is_named(tmp_path):
    with pytest.raises(DataError, match=r"costs\.jsonl: cannot read it: No such file"):
        read_run_costs(tmp_path)
    append_run_cost(tmp_path, {"wall_sec": 1.5})
    with (tmp_path / "costs.jsonl").open("a") as stream:
        stream.write('{"wall_sec": 1')
    with pytest.raises(DataError, match=r"costs\.jsonl:2: expected what a run has"):
        read_run_costs(tmp_path)


def test_results_are_kept_where_their_cost_cannot_be(tmp_path, caplog):
    (tmp_path / "costs.jsonl").mkdir()
    append_run_cost(tmp_path, {"wall_sec": 1.5})
    assert "costs.jsonl: cannot write it: Is a directory" in caplog.text


def test_writers_at_the_same_time_do_not_mix(tmp_path):
    """Whoever writes, a line comes whole: one write each, to the end of the file."""
    writes = []

    class Stream:
        def write(self, data):
            writes.append(data)

        def __enter__(self):
            return self

        def __exit__(self, *error):
            pass

    def open_file(path, mode):
        assert mode == "ab"
        return Stream()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "open", open_file)
        append_run_cost(tmp_path, {"wall_sec": 1.5})
    (data,) = writes
    assert json.loads(data)["wall_sec"] == 1.5
    assert data.endswith(b"\n")
