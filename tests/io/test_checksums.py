"""Every bit of a model file: what changes what is read is found."""

import zipfile

import numpy as np
import pytest
import torch

from asdkit.base.errors import DataError
from asdkit.io.checksums import verify_zip
from asdkit.io.store import load_arrays, save_arrays
from asdkit.io.tensors import load_tensors, save_tensors


def save_pt(path, array):
    save_tensors(path, "Kind", {"n": 1}, {"array": torch.from_numpy(array)})


def load_pt(path):
    options, tensors = load_tensors(path, "Kind")
    return options, {name: tensor.numpy() for name, tensor in tensors.items()}


def save_npz(path, array):
    save_arrays(path, "Kind", {"n": 1}, {"array": array})


def load_npz(path):
    return load_arrays(path, "Kind")


KINDS = pytest.mark.parametrize(
    ("save", "load"), [(save_pt, load_pt), (save_npz, load_npz)], ids=["pt", "npz"]
)


@KINDS
def test_no_flipped_bit_changes_what_is_read(tmp_path, rng, save, load):
    """torch read 20 of 20 flipped weights without a word.

    All bits, 29,000, were tried once; here a random one of every byte.
    """
    path, array = tmp_path / "model", rng.standard_normal((3, 5))
    save(path, array)
    whole = path.read_bytes()
    refused = 0
    for place in range(len(whole)):
        flipped = bytearray(whole)
        flipped[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(flipped)
        try:
            options, found = load(path)
        except DataError:
            refused += 1
            continue
        assert options == {"n": 1}
        assert found.keys() == {"array"}
        np.testing.assert_array_equal(found["array"], array)
    assert refused > len(whole) / 2  # the rest is padding, dates and the like


@KINDS
def test_a_flipped_bit_of_a_weight_is_named(tmp_path, rng, save, load):
    path = tmp_path / "model"
    array = rng.standard_normal(1000)
    save(path, array)
    flipped = bytearray(path.read_bytes())
    flipped[flipped.index(array.tobytes()) + 5000] ^= 1
    path.write_bytes(flipped)
    with pytest.raises(DataError, match=r"damaged.* does not match its CRC-32"):
        load(path)


@KINDS
def test_bits_of_the_table_of_members_are_found(tmp_path, rng, save, load):
    """torch returns uninitialized memory for a member marked as a directory.

    And a member whose extra field claims more bytes hides the next from zipfile.
    """
    path = tmp_path / "model"
    save(path, rng.standard_normal(9))
    whole = path.read_bytes()
    last = whole.rindex(b"PK\x01\x02")
    first = whole.index(b"PK\x01\x02")
    for place, bit in ((last + 38, 0x10), (first + 30, 0x80), (first + 32, 0x40)):
        flipped = bytearray(whole)
        flipped[place] ^= bit
        path.write_bytes(flipped)
        with pytest.raises(DataError, match="damaged"):
            load(path)


def test_an_archive_that_could_grow_when_it_is_read_is_refused(tmp_path):
    path = tmp_path / "bomb.npz"
    np.savez_compressed(path, asdkit=np.zeros(10**6))
    assert path.stat().st_size < 10**5
    with pytest.raises(zipfile.BadZipFile, match="is compressed"):
        verify_zip(path)
    with pytest.raises(DataError, match="not an asdkit model"):
        load_arrays(path, "Kind")


def test_a_header_that_claims_more_than_memory_holds_is_refused(tmp_path):
    """Its checksum is right: somebody wrote it so."""
    path = tmp_path / "model.npz"
    save_npz(path, np.zeros(3))
    with zipfile.ZipFile(path) as file:
        members = {name: file.read(name) for name in file.namelist()}
    shape = b"(1000000000000000,), }"
    claim = members["array.npy"].replace(b"(3,), }" + 15 * b" ", shape)
    assert claim != members["array.npy"]
    with zipfile.ZipFile(path, "w") as file:
        for name, content in (members | {"array.npy": claim}).items():
            file.writestr(name, content)
    with pytest.raises(DataError, match=r"its arrays do not fit .*(PiB|array)"):
        load_npz(path)
