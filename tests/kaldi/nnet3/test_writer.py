"""What is written as text is what was read."""

from pathlib import Path

import numpy as np
import pytest

from asdkit.kaldi.nnet3.reader import read_nnet3
from asdkit.kaldi.nnet3.writer import _array, _number, write_nnet3
from asdkit.kaldi.xvector_networks import read_xvector

XVECTOR = Path(__file__).parents[2] / "golden" / "kaldi_xvector"


@pytest.mark.parametrize("name", ["final.raw", "final.txt.gz"])
def test_a_network_of_kaldis_has_the_same_numbers_again(tmp_path, name):
    source, copy = XVECTOR / name, tmp_path / "final.raw"
    network = read_xvector(source, XVECTOR / "extract.config").network
    write_nnet3(copy, network.lines, network.described_components())
    before, after = read_nnet3(source), read_nnet3(copy)
    assert after.nodes == before.nodes
    assert after.components == before.components
    assert after.arrays.keys() == before.arrays.keys()
    for key, array in before.arrays.items():
        np.testing.assert_array_equal(after.arrays[key], array)


def test_numbers_come_back_as_they_were(rng):
    x = (rng.normal(size=(3, 4)) * 10.0 ** rng.integers(-30, 30, (3, 4))).astype("f4")
    for array in (x, x[0]):
        words = _array(array).decode().replace("[", " ").replace("]", " ").split()
        found = np.array(words, np.float32).reshape(array.shape)
        np.testing.assert_array_equal(found, array)
    assert _array(np.zeros((0, 3))) == b" [ ]\n"
    assert [_number(value) for value in (True, False, 3, 0.1)] == ["T", "F", "3", "0.1"]
