import gzip
import io
import pickle
import struct

import kaldiio
import numpy as np
import pytest

from asdkit.base.errors import DataError
from asdkit.io.ark import load_array, load_shape, read_arrays
from asdkit.io.ark_value import read_shape, read_value


@pytest.fixture
def feats(rng):
    """MFCC-like: every column with its own scale."""
    return (rng.standard_normal((50, 4)) * [20, 5, 2, 1]).astype(np.float32)


def write(path, arrays, **options):
    """Write an archive with kaldiio; return where each value is."""
    kaldiio.save_ark(str(path), arrays, scp=f"{path}.scp", **options)
    lines = path.with_name(f"{path.name}.scp").read_text().splitlines()
    return dict(line.split(" ", 1) for line in lines)


@pytest.mark.parametrize("compression", [None, 2, 3, 5])
def test_a_value_may_start_anywhere_in_the_buffer(feats, tmp_path, compression):
    options = {"compression_method": compression} if compression else {}
    write(tmp_path / "a.ark", {"a": feats}, **options)
    value = (tmp_path / "a.ark").read_bytes()[2:]
    expected = read_value("a", io.BufferedReader(io.BytesIO(value)))
    for left in range(1, 30):  # bytes of the value that are in the buffer
        for read, right in ((read_shape, expected.shape), (read_value, expected)):
            raw = io.BytesIO(b"x" * (64 - left) + value)
            stream = io.BufferedReader(raw, 64)
            stream.read(64 - left)
            assert np.array_equal(read("a", stream), right)


def test_vectors_are_read_from_a_table_at_every_place_of_the_buffer(rng, tmp_path):
    sizes = rng.integers(1, 50, 9000)
    vectors = {f"{n}": rng.standard_normal(m) for n, m in enumerate(sizes)}
    write(tmp_path / "a.ark", vectors)
    for rspecifier in (f"ark:{tmp_path}/a.ark", f"scp:{tmp_path}/a.ark.scp"):
        read = dict(read_arrays(rspecifier))
        assert all(np.array_equal(read[name], x) for name, x in vectors.items())


# Kaldi's methods: automatic, speech feature, two bytes (range, integers), one byte
# (range, integers, zero to one), and what each may cost.
@pytest.mark.parametrize(
    ("method", "scale", "step"),
    [
        (1, 1, 0.5),
        (2, 1, 0.5),
        (3, 1, 2e-3),
        (4, 100, 1.0),
        (5, 1, 0.5),
        (6, 1, 1.0),
        (7, 1, 1 / 255),
    ],
)
def test_every_compression_is_read_to_its_own_accuracy(
    tmp_path, feats, method, scale, step
):
    if method == 6:
        feats = np.clip(np.round(np.abs(feats)), 0, 255)
    if method == 7:
        feats = np.abs(feats) / np.abs(feats).max()
    feats = feats * np.float32(scale)
    where = write(tmp_path / "x.ark", {"a": feats}, compression_method=method)["a"]
    for array in (
        load_array("a", where),
        dict(read_arrays(f"ark:{tmp_path}/x.ark"))["a"],
    ):
        assert array.dtype == np.float32
        np.testing.assert_allclose(array, feats, atol=step)
        np.testing.assert_array_equal(array, kaldiio.load_mat(where))
    assert load_shape("a", where) == feats.shape
    assert load_shape("a", f"{where}[3:6,:]") == (4, 4)
    np.testing.assert_array_equal(
        load_array("a", f"{where}[0:10]"), load_array("a", where)[:11]
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_both_precisions_are_read_as_they_are(tmp_path, feats, dtype):
    arrays = {"matrix": feats.astype(dtype), "vector": feats[0].astype(dtype)}
    where = write(tmp_path / "x.ark", arrays)
    for key, array in arrays.items():
        read = load_array(key, where[key])
        assert read.dtype == dtype
        np.testing.assert_array_equal(read, array)
        assert load_shape(key, where[key]) == array.shape


def test_integers_are_read_in_both_forms(tmp_path):
    arrays = {"a": np.array([3, -1, 70000], np.int32), "b": np.zeros(0, np.int32)}
    where = write(tmp_path / "x.ark", arrays)
    for key, array in arrays.items():
        read = load_array(key, where[key])
        assert read.dtype == np.int32
        np.testing.assert_array_equal(read, array)
    (tmp_path / "t.ark").write_text("a 3 -1 70000\nb \n")
    for key, array in read_arrays(f"ark:{tmp_path}/t.ark"):
        np.testing.assert_array_equal(array, arrays[key])


@pytest.mark.parametrize("text", ["1_0 2", "9999999999", "1 \u0663"])
def test_what_are_no_integers_is_refused(tmp_path, text):
    (tmp_path / "x.ark").write_text(f"a {text}\n")
    with pytest.raises(DataError, match="expected a matrix or vector, got"):
        list(read_arrays(f"ark:{tmp_path}/x.ark"))


def test_text_as_kaldi_writes_it_is_read(tmp_path):
    """A whole number first, exponents, one row, no row: kaldiio stumbles here."""
    (tmp_path / "x.ark").write_text(
        "a  [\n  0 0.5 \n  1e-05 -2 ]\nb  [ 1 0 1 ]\nc  [\n  1 2 ]\nd  [ ]\n"
        "e  [ nan inf ]\n"
    )
    read = dict(read_arrays(f"ark:{tmp_path}/x.ark"))
    np.testing.assert_array_equal(read["a"], np.float32([[0, 0.5], [1e-5, -2]]))
    np.testing.assert_array_equal(read["b"], [1, 0, 1])
    assert (read["c"].shape, read["d"].shape) == ((1, 2), (0,))
    assert np.isnan(read["e"][0])
    assert np.isinf(read["e"][1])


def test_text_is_read_from_tables_gzip_and_single_files(tmp_path, feats):
    where = write(tmp_path / "x.ark", {"a": feats, "b": feats[1]}, text=True)
    np.testing.assert_allclose(load_array("a", where["a"]), feats, rtol=1e-6)
    np.testing.assert_allclose(load_array("b", f"{where['b']}[1:2]"), feats[1, 1:3])
    assert load_shape("a", where["a"]) == feats.shape
    (tmp_path / "x.ark.gz").write_bytes(
        gzip.compress((tmp_path / "x.ark").read_bytes())
    )
    zipped = dict(read_arrays(f"ark:{tmp_path}/x.ark.gz"))
    np.testing.assert_allclose(zipped["a"], feats, rtol=1e-6)
    offset = where["a"].rpartition(":")[2]
    np.testing.assert_array_equal(
        load_array("a", f"{tmp_path}/x.ark.gz:{offset}"), zipped["a"]
    )
    kaldiio.save_mat(str(tmp_path / "x.mat"), feats)
    np.testing.assert_array_equal(load_array("a", f"{tmp_path}/x.mat[0:0]"), feats[:1])


def test_a_directory_with_brackets_is_no_range(tmp_path, feats):
    (tmp_path / "a[1]").mkdir()
    where = write(tmp_path / "a[1]" / "x.ark", {"a": feats})["a"]
    np.testing.assert_array_equal(load_array("a", where), feats)
    np.testing.assert_array_equal(load_array("a", f"{where}[1:2]"), feats[1:3])


def test_ranges_may_end_two_frames_late_and_no_later(tmp_path, feats):
    where = write(tmp_path / "x.ark", {"a": feats})["a"]
    assert load_shape("a", f"{where}[40:51]") == (10, 4)
    assert load_array("a", f"{where}[40:52,0:1]").shape == (10, 2)
    with pytest.raises(DataError, match=r"'a': range 40:53 of only 50 \(axis 0\)"):
        load_shape("a", f"{where}[40:53]")
    with pytest.raises(DataError, match=r"expected \[first:last\] for 'a', got \[4\]"):
        load_array("a", f"{where}[4]")
    with pytest.raises(DataError, match="two ranges for an array of one dimension"):
        load_array("b", write(tmp_path / "y.ark", {"b": feats[0]})["b"] + "[0:1,0:1]")


def test_nothing_is_unpickled_or_run(tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    (tmp_path / "x.ark").write_bytes(b"a PKL" + pickle.dumps(Trap()))
    with pytest.raises(DataError, match="expected a matrix or vector, got b'PKL"):
        dict(read_arrays(f"ark:{tmp_path}/x.ark"))
    with pytest.raises(DataError, match="expected a matrix or vector, got b'PKL"):
        load_array("a", f"{tmp_path}/x.ark:2")
    for command in (f"touch {tmp_path}/ran |", f"| touch {tmp_path}/ran"):
        with pytest.raises(DataError, match="commands are not run here"):
            load_array("a", command)
        with pytest.raises(DataError, match="commands are not run here"):
            dict(read_arrays(f"ark:{command}"))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("kind", ["FM", "FV", "ints", "CM", "CM2", "CM3", "text"])
def test_a_value_that_is_cut_short_is_an_error(tmp_path, feats, kind):
    array = {"FV": feats[0], "ints": np.arange(9, dtype=np.int32)}.get(kind, feats)
    method = {"CM": 2, "CM2": 3, "CM3": 5}.get(kind)
    options = {"text": True} if kind == "text" else {"compression_method": method}
    path = tmp_path / "x.ark"
    where = write(path, {"a": array}, **options)["a"]
    for missing in (3, path.stat().st_size // 2, path.stat().st_size - 4):
        path.write_bytes(path.read_bytes()[:-missing])
        with pytest.raises(DataError, match=r"x\.ark.*cannot read 'a'"):
            load_array("a", where)
        with pytest.raises(DataError, match=r"damaged after 0 entries|cut short"):
            dict(read_arrays(f"ark:{path}"))
        write(path, {"a": array}, **options)


def test_a_key_without_a_value_is_an_error(tmp_path):
    (tmp_path / "x.ark").write_text("a 1 2\nb ")
    with pytest.raises(DataError, match=r"after 1 entries: .* got the end of the file"):
        dict(read_arrays(f"ark:{tmp_path}/x.ark"))


def test_a_corrupt_size_does_not_fill_the_memory(tmp_path):
    huge = struct.pack("<bibi", 4, 2**30, 4, 2**30)
    (tmp_path / "x.ark").write_bytes(b"a \0BFM " + huge + b"\0" * 99)
    with pytest.raises(DataError, match="got the end of the file"):
        load_array("a", f"{tmp_path}/x.ark:2")
    sizes = struct.pack("<ffii", 0, 1, -1, 7)
    (tmp_path / "y.ark").write_bytes(b"a \0BCM " + sizes)
    with pytest.raises(DataError, match="got -1 rows and 7 columns"):
        load_array("a", f"{tmp_path}/y.ark:2")


def test_a_location_behind_the_end_and_a_missing_file_are_named(tmp_path, feats):
    where = write(tmp_path / "x.ark", {"a": feats})["a"]
    with pytest.raises(DataError, match="cannot read 'b': byte 9999 is beyond its end"):
        load_array("b", where.replace(":2", ":9999"))
    with pytest.raises(DataError, match=r"no\.ark: cannot read 'b': no such file"):
        load_array("b", str(tmp_path / "no.ark:7"))


def test_a_model_is_not_an_array(golden):
    path = golden / "diag_ubm" / "final.dubm"
    with pytest.raises(DataError, match="expected a matrix or vector, got '<DiagGMM>'"):
        load_array("a", str(path))
