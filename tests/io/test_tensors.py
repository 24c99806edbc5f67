import pickle

import pytest
import torch

from asdkit.base.errors import DataError
from asdkit.io.tensors import describe, load_tensors, save_tensors


def test_tensors_and_options_come_back(tmp_path):
    tensors = {"w": torch.eye(2), "state": {0: {"step": torch.tensor(3)}, "lr": [0.1]}}
    save_tensors(tmp_path / "a.pt", "Network", {"n": 1, "x": None}, tensors)
    options, found = load_tensors(tmp_path / "a.pt", "Network")
    assert options == {"n": 1, "x": None}
    torch.testing.assert_close(found, tensors)


def test_a_file_tells_what_it_is(tmp_path):
    save_tensors(tmp_path / "a.pt", "Network", {"n": 1}, {"net": {"w": torch.eye(2)}})
    about = describe(tmp_path / "a.pt")
    assert about["kind"] == "Network"
    assert about["tensors"] == {"net": {"w": "[2, 2] float32"}}
    assert {"command", "commit"} <= about["provenance"].keys()


def test_another_kind_and_a_missing_file_are_named(tmp_path):
    save_tensors(tmp_path / "a.pt", "Network", {}, {})
    with pytest.raises(DataError, match="expected a Checkpoint file, got 'Network'"):
        load_tensors(tmp_path / "a.pt", "Checkpoint")
    with pytest.raises(DataError, match="no such file"):
        load_tensors(tmp_path / "b.pt", "Network")


def test_a_damaged_file_is_named(tmp_path):
    save_tensors(tmp_path / "a.pt", "Network", {}, {"w": torch.eye(99)})
    whole = (tmp_path / "a.pt").read_bytes()
    for content in (b"", b"no model", b"PK\x03\x04", whole[: len(whole) // 2]):
        (tmp_path / "a.pt").write_bytes(content)
        with pytest.raises(DataError, match=r"a\.pt: not an asdkit file") as caught:
            load_tensors(tmp_path / "a.pt", "Network")
        assert "likelihood" not in str(caught.value)  # PyTorch's advice


class Boom:
    def __reduce__(self):
        return (pytest.fail, ("it ran",))


def test_nothing_in_a_file_is_executed(tmp_path):
    torch.save({"header": "{}", "tensors": Boom()}, tmp_path / "a.pt")
    with pytest.raises(DataError, match="not an asdkit file"):
        load_tensors(tmp_path / "a.pt", "Network")
    (tmp_path / "b.pt").write_bytes(pickle.dumps(Boom()))
    with pytest.raises(DataError, match="not an asdkit file"):
        load_tensors(tmp_path / "b.pt", "Network")
