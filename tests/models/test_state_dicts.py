"""Weights that other programs wrote are read, compared, and never executed."""

import hashlib
import pickle

import pytest
import torch

from asdkit.base.errors import DataError
from asdkit.models.state_dicts import misfits, read_state, refuse_misfits, source_of


class Bomb:
    """Touch a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


def test_names_and_tensors_come_back(tmp_path):
    state = {"a.weight": torch.arange(6.0).reshape(2, 3), "b": torch.tensor(3)}
    torch.save(state, tmp_path / "w.pth")
    found = read_state(tmp_path / "w.pth")
    assert found.keys() == state.keys()
    assert all(torch.equal(found[name], state[name]) for name in state)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([torch.zeros(1)], "expected a dictionary of named tensors, got list"),
        ({}, "expected a dictionary of named tensors, got nothing"),
        ({"a": 1.0}, "expected a dictionary of named tensors, got float under 'a'"),
        (torch.zeros(2), "expected a dictionary of named tensors, got Tensor"),
        ((), "expected a dictionary of named tensors, got tuple"),
    ],
)
def test_other_contents_are_named(tmp_path, content, message):
    torch.save(content, tmp_path / "w.pth")
    with pytest.raises(DataError, match=message):
        read_state(tmp_path / "w.pth")


def test_nothing_in_a_file_is_executed(tmp_path):
    victim = tmp_path / "touched"
    torch.save({"a": Bomb(str(victim))}, tmp_path / "w.pth")
    (tmp_path / "plain.pth").write_bytes(pickle.dumps(Bomb(str(victim))))
    for name in ("w.pth", "plain.pth"):
        with pytest.raises(DataError, match="not a checkpoint of tensors, or damaged"):
            read_state(tmp_path / name)
    assert not victim.exists()


def test_a_missing_or_damaged_file_is_one_line(tmp_path):
    with pytest.raises(DataError, match=r"w.pth: no such file"):
        read_state(tmp_path / "w.pth")
    with pytest.raises(DataError, match="expected a file, got a directory"):
        read_state(tmp_path)
    torch.save({"a": torch.zeros(100)}, tmp_path / "w.pth")
    data = (tmp_path / "w.pth").read_bytes()
    for damaged in (b"", data[: len(data) // 2], b"hello\n"):
        (tmp_path / "w.pth").write_bytes(damaged)
        with pytest.raises(DataError, match="damaged") as caught:
            read_state(tmp_path / "w.pth")
        assert "\n" not in str(caught.value)


def test_every_misfit_is_said():
    state = {
        "a": torch.zeros(2),
        "b": torch.tensor([1.0, torch.inf]),
        "d": torch.ones(1),
    }
    assert misfits(state, {"a": (2,), "b": (2,), "d": (1,)})[0].startswith("tensor 'b'")
    assert misfits(state, {"a": (3,), "b": (2,), "c": (1, 2)}) == [
        "tensor 'a': expected shape (3,), got (2,)",
        "tensor 'b' has values that are not finite",
        "tensor 'c' of shape (1, 2) is missing",
        "tensor 'd' of shape (1,) is not expected",
    ]
    assert misfits({"a": state["a"]}, {"a": (2,)}) == []


def test_the_first_misfits_are_named_and_the_others_counted():
    refuse_misfits("w.pth", "a net", [])
    with pytest.raises(DataError, match=r"w.pth: not the weights of a net: one$"):
        refuse_misfits("w.pth", "a net", ["one"])
    with pytest.raises(DataError, match=r"one; two; three$"):
        refuse_misfits("w.pth", "a net", ["one", "two", "three"])
    with pytest.raises(DataError, match=r"one; two; three \(and 2 more\)$"):
        refuse_misfits("w.pth", "a net", ["one", "two", "three", "four", "five"])


def test_a_source_is_known_by_its_content(tmp_path):
    (tmp_path / "w.pth").write_bytes(b"content")
    digest = hashlib.blake2b(b"content", digest_size=16).hexdigest()
    expected = {"format": "aasist", "file": "w.pth", "digest": digest}
    assert source_of(tmp_path / "w.pth", "aasist") == expected
