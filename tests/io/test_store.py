import numpy as np
import pytest

from asdkit.base.errors import DataError
from asdkit.io.store import (
    describe,
    kind_of,
    load_arrays,
    load_model,
    load_object,
    save_arrays,
    save_model,
)


class Model:
    mean_: np.ndarray

    def __init__(self, num_iters: int = 10, center: bool = True) -> None:
        self.num_iters = num_iters
        self.center = center


def test_a_model_comes_back_with_options_and_arrays(tmp_path, rng):
    model = Model(num_iters=3, center=False)
    model.mean_ = rng.standard_normal(4)
    save_model(tmp_path / "m.npz", model)
    read = load_model(tmp_path / "m.npz", Model)
    assert (read.num_iters, read.center) == (3, False)
    np.testing.assert_array_equal(read.mean_, model.mean_)


@pytest.mark.parametrize(
    ("options", "arrays", "problem"),
    [
        ({}, {"scale_": 1}, "it lacks 'mean_'"),
        ({"num_tiers": 3}, {"mean_": 1}, "cannot build it: .* 'num_tiers'"),
    ],
)
def test_a_model_that_lacks_something_is_named(tmp_path, options, arrays, problem):
    save_arrays(tmp_path / "m.npz", "Model", options, arrays)
    with pytest.raises(DataError, match=f"m.npz: .*{problem}"):
        load_model(tmp_path / "m.npz", Model)


class Pair:
    @classmethod
    def from_state(cls, options, arrays):
        pair = cls()
        pair.first, pair.second = options["first"], arrays["second"]
        return pair


def test_an_object_is_made_of_its_state_or_its_file_named(tmp_path):
    path = tmp_path / "m.npz"
    save_arrays(path, "Pair", {"first": 1}, {"second": np.ones(2)})
    pair = load_object(path, Pair)
    assert (pair.first, pair.second.tolist()) == (1, [1.0, 1.0])
    for options, arrays in [({}, {"second": np.ones(2)}), ({"first": 1}, {})]:
        save_arrays(path, "Pair", options, arrays)
        with pytest.raises(DataError, match=r"m\.npz: it lacks '(first|second)'"):
            load_object(path, Pair)


def test_a_file_tells_what_it_is_and_where_it_came_from(tmp_path):
    save_arrays(tmp_path / "m.npz", "Plda", {"num_iters": 3}, {"psi": np.ones(2)})
    about = describe(tmp_path / "m.npz")
    assert about["kind"] == "Plda"
    assert about["arrays"] == {"psi": "[2] float64"}
    assert {"command", "version", "commit", "time"} <= about["provenance"].keys()


def test_another_kind_is_refused(tmp_path):
    save_arrays(tmp_path / "m.npz", "Plda", {}, {})
    with pytest.raises(DataError, match="expected a Lda model, got 'Plda'"):
        load_arrays(tmp_path / "m.npz", "Lda")


@pytest.mark.parametrize("content", [b"", b"no model", b"PK\x03\x04 cut short"])
def test_a_damaged_file_is_named(tmp_path, content):
    (tmp_path / "m.npz").write_bytes(content)
    with pytest.raises(DataError, match=r"m\.npz: not an asdkit model"):
        load_arrays(tmp_path / "m.npz", "Plda")


def test_wherever_a_byte_is_damaged_no_traceback_comes(tmp_path):
    save_arrays(tmp_path / "m.npz", "Plda", {}, {"psi": np.arange(20.0)})
    whole = (tmp_path / "m.npz").read_bytes()
    refused = 0
    for i in range(len(whole) - 4):
        (tmp_path / "m.npz").write_bytes(whole[:i] + b"!!!!" + whole[i + 4 :])
        try:
            load_arrays(tmp_path / "m.npz", "Plda")
        except DataError:
            refused += 1
    assert refused > 0.9 * len(whole)


def test_a_pickle_is_never_opened(tmp_path):
    np.savez(tmp_path / "m.npz", asdkit=np.array([{"a": 1}], dtype=object))
    with pytest.raises(DataError, match="not an asdkit model"):
        load_arrays(tmp_path / "m.npz", "Plda")


def test_the_kind_of_a_file_is_read_without_its_arrays(tmp_path, monkeypatch):
    save_arrays(tmp_path / "m.npz", "Model", {}, {"mean_": np.ones(3)})
    read = []
    original = np.lib.npyio.NpzFile.__getitem__

    def getitem(self, name):
        read.append(name)
        return original(self, name)

    monkeypatch.setattr(np.lib.npyio.NpzFile, "__getitem__", getitem)
    assert kind_of(tmp_path / "m.npz") == "Model"
    assert read == ["asdkit"]
    np.savez(tmp_path / "other.npz", x=np.ones(3))
    with pytest.raises(DataError, match="not an asdkit model"):
        kind_of(tmp_path / "other.npz")
