"""A table that points into another utterance is found out; one with new ids is not."""

import gzip
import shutil

import kaldiio
import numpy as np
import pytest

from asdkit.base.errors import DataError
from asdkit.io.ark import ArkWriter, load_array, load_shape, read_scp
from asdkit.io.tables import write_table

UTTS = ["s0-u0", "s0-u1", "s1-u0", "s10-u0", "s1-u10"]


@pytest.fixture(params=["float", "double", "vector", "int", "text", 1, 2, 3, 5, "gz"])
def table(request, tmp_path, monkeypatch, rng):
    """Archives of all kinds: utterance -> location and what is there."""
    monkeypatch.chdir(tmp_path)
    kind = request.param
    arrays = {}
    for n, utt in enumerate(UTTS):
        shape = (10 + n,) if kind in ("vector", "int") else (300 + 50 * n, 20)
        arrays[utt] = rng.normal(size=shape).astype("f8" if kind == "double" else "f4")
        if kind == "int":
            arrays[utt] = rng.integers(0, 2**31, size=shape).astype("i4")
    kaldiio.save_ark(
        "a.ark",
        arrays,
        scp="a.scp",
        text=kind == "text",
        compression_method=kind if isinstance(kind, int) else None,
    )
    if kind == "gz":
        with open("a.ark", "rb") as plain, gzip.open("z.ark", "wb") as zipped:
            shutil.copyfileobj(plain, zipped)
        shutil.move("z.ark", "a.ark")
    table = read_scp("a.scp")
    return kind, table, {utt: load_array(utt, table[utt]) for utt in UTTS}


def test_every_value_is_found_under_its_own_key(table):
    _, locations, arrays = table
    for utt in UTTS:
        assert load_shape(utt, locations[utt]) == arrays[utt].shape


def test_the_value_of_another_key_is_refused(table):
    kind, locations, _ = table
    if kind == "gz":
        pytest.skip("a zipped archive cannot be read backwards")
    for utt in UTTS:
        for other in UTTS:
            if utt == other:
                continue
            for load in (load_array, load_shape):
                with pytest.raises(
                    DataError, match=rf"a.ark: cannot read '{utt}': .* got '{other}'"
                ):
                    load(utt, locations[other])


@pytest.mark.parametrize("form", ["3s-{}", "x{}", "{}-noise", "{}_b", "sp0.9-{}-rev"])
def test_new_ids_with_prefix_or_suffix_may_point_at_old_ones(table, form):
    _, locations, arrays = table
    for utt in UTTS:
        found = load_array(form.format(utt), locations[utt])
        np.testing.assert_array_equal(found, arrays[utt])


def test_an_id_that_begins_with_another_is_not_taken_for_renamed(tmp_path, rng):
    with ArkWriter(tmp_path, "a") as writer:
        for utt in ("utt1", "utt10", "utt2"):
            writer[utt] = rng.normal(size=(3, 4))
    locations = dict(writer.locations)
    with pytest.raises(DataError, match="expected 'utt10', got 'utt1'"):
        load_array("utt10", locations["utt1"])
    with pytest.raises(DataError, match="expected 'utt2', got 'utt10'"):
        load_array("utt2", locations["utt10"])


def test_files_without_keys_and_ranges_are_read_as_before(tmp_path, monkeypatch, rng):
    monkeypatch.chdir(tmp_path)
    matrix = rng.normal(size=(30, 4)).astype("f4")
    kaldiio.save_mat("one.mat", matrix)
    for location in ("one.mat", "one.mat:0"):
        np.testing.assert_array_equal(load_array("any", location), matrix)
    with ArkWriter(".", "a") as writer:
        writer["u"] = matrix
    write_table("b.scp", {"u-0000-0009": f"{writer.locations['u']}[0:9]"})
    (part,) = read_scp("b.scp").items()
    np.testing.assert_array_equal(load_array(*part), matrix[:10])


def test_a_key_is_found_behind_a_value_of_many_megabytes(tmp_path, rng):
    with ArkWriter(tmp_path, "a") as writer:
        writer["long"] = rng.normal(size=(30_000, 80))
        writer["next"] = rng.normal(size=(3, 4))
    with pytest.raises(DataError, match="expected 'other', got 'next'"):
        load_array("other", writer.locations["next"])
    assert load_array("x-next", writer.locations["next"]).shape == (3, 4)
