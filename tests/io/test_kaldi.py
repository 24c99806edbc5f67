import contextlib
import struct
import tracemalloc

import kaldiio
import numpy as np
import pytest

from asdkit.base.errors import DataError
from asdkit.io.kaldi import (
    DiagGmmFile,
    FullGmmFile,
    IvectorExtractorFile,
    PldaFile,
    read_diag_gmm,
    read_full_gmm,
    read_ivector_extractor,
    read_matrix,
    read_object,
    read_plda,
    read_vector,
    write_object,
    write_text,
)

MODELS = {
    "diag_ubm/0.dubm": DiagGmmFile,
    "diag_ubm/1.dubm": DiagGmmFile,
    "diag_ubm/2.dubm": DiagGmmFile,
    "diag_ubm/3.dubm": DiagGmmFile,
    "diag_ubm/final.dubm": DiagGmmFile,
    "extractor/final.dubm": DiagGmmFile,
    "full_ubm/0.ubm": FullGmmFile,
    "full_ubm/1.ubm": FullGmmFile,
    "full_ubm/final.ubm": FullGmmFile,
    "extractor/final.ubm": FullGmmFile,
    "extractor/0.ie": IvectorExtractorFile,
    "extractor/1.ie": IvectorExtractorFile,
    "extractor/2.ie": IvectorExtractorFile,
    "extractor/3.ie": IvectorExtractorFile,
    "backend/plda": PldaFile,
    "backend/plda_adapt": PldaFile,
    "backend/transform.mat": np.ndarray,
}


@pytest.mark.parametrize("name", MODELS)
def test_what_was_read_is_written_byte_for_byte(golden, tmp_path, name):
    content = read_object(golden / name)
    assert isinstance(content, MODELS[name])
    write_object(tmp_path / "copy", content)
    assert (tmp_path / "copy").read_bytes() == (golden / name).read_bytes()


def test_a_text_vector_is_written_byte_for_byte(golden, tmp_path):
    write_text(tmp_path / "copy", read_object(golden / "backend/mean.vec"))
    original = (golden / "backend/mean.vec").read_bytes()
    assert (tmp_path / "copy").read_bytes() == original


def test_every_model_of_the_golden_folder_is_in_the_list(golden):
    found = {
        str(path.relative_to(golden))
        for pattern in ("*/*.dubm", "*/*.ubm", "*/*.ie", "backend/[pt]*")
        for path in golden.glob(pattern)
    }
    assert found == set(MODELS)


def test_fields_mean_what_kaldi_says(golden):
    diag = read_diag_gmm(golden / "full_ubm/../diag_ubm/final.dubm")
    full = read_full_gmm(golden / "full_ubm/0.ubm")  # the same model
    num_gauss, dim = diag.inv_vars.shape
    rows, columns = np.tril_indices(dim)
    np.testing.assert_array_equal(full.inv_covars[:, rows == columns], diag.inv_vars)
    assert not full.inv_covars[:, rows != columns].any()
    np.testing.assert_array_equal(full.means_invcovars, diag.means_invvars)
    assert diag.weights.sum() == pytest.approx(1, abs=1e-6)

    start = read_ivector_extractor(golden / "extractor/0.ie")
    ubm = read_full_gmm(golden / "extractor/final.ubm")
    assert start.m.shape == (num_gauss, dim, 20)
    assert start.w.shape == (0, 0)
    assert start.prior_offset == 100
    np.testing.assert_array_equal(start.w_vec, ubm.weights)
    np.testing.assert_array_equal(start.sigma_inv, ubm.inv_covars)

    plda = read_plda(golden / "backend/plda")
    assert plda.mean.shape == plda.psi.shape == (8,)
    assert plda.transform.shape == (8, 8)
    assert np.all(np.diff(plda.psi) <= 0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(5,), (1,), (0,), (3, 4), (1, 4), (0, 0)])
def test_arrays_come_back_and_kaldiio_agrees(rng, tmp_path, dtype, shape):
    array = rng.normal(size=shape).astype(dtype)
    write_object(tmp_path / "array", array)
    for copy in (
        read_object(tmp_path / "array"),
        kaldiio.load_mat(str(tmp_path / "array")),
    ):
        assert copy.dtype == dtype
        np.testing.assert_array_equal(copy, array)


@pytest.mark.parametrize("shape", [(5,), (1,), (0,), (3, 4), (1, 4), (4, 1)])
def test_text_arrays_come_back_and_kaldiio_agrees(rng, tmp_path, shape):
    array = rng.integers(-1000, 1000, size=shape) / 8
    write_text(tmp_path / "array", array)
    np.testing.assert_array_equal(read_object(tmp_path / "array"), array)
    if array.size:
        np.testing.assert_array_equal(kaldiio.load_mat(str(tmp_path / "array")), array)


def as_text(content):
    """Write a model as Kaldi's --binary=false does, in full precision."""

    def array(x):
        rows = "\n".join(" ".join(map(repr, row)) for row in np.atleast_2d(x).tolist())
        return f" [ {rows} ]\n" if x.ndim == 1 else f" [\n  {rows} ]\n"

    def triangle(packed, dim):
        rows = np.split(packed, np.cumsum(np.arange(1, dim)))
        return "[\n" + "\n".join(" ".join(map(repr, r.tolist())) for r in rows) + " ]\n"

    dim = content.m.shape[1]
    return (
        f"<IvectorExtractor> <w>  [ ]\n<w_vec> {array(content.w_vec)}<M> "
        + f"{len(content.m)} {''.join(map(array, content.m))}<SigmaInv> "
        + "".join(triangle(packed, dim) for packed in content.sigma_inv)
        + f"<IvectorOffset> {content.prior_offset!r} </IvectorExtractor> "
    )


def test_a_text_model_equals_the_binary_one(golden, tmp_path):
    content = read_ivector_extractor(golden / "extractor/2.ie")
    (tmp_path / "2.ie").write_text(as_text(content))
    for field, text in zip(content, read_object(tmp_path / "2.ie"), strict=True):
        np.testing.assert_array_equal(text, field)


@pytest.mark.parametrize("name", [*MODELS, "backend/mean.vec"])
def test_a_file_cut_anywhere_is_one_clear_error(golden, tmp_path, rng, name):
    data = (golden / name).read_bytes()
    cut = tmp_path / "cut"
    last = len(data.rstrip())  # text may lose its last newline, </Plda> its blank
    sizes = {*range(min(300, last)), *rng.integers(0, last, 50), last - 1}
    for size in sorted(sizes):
        cut.write_bytes(data[:size])
        with pytest.raises(
            DataError, match=r"cut:(1| byte [0-9]+): expected"
        ) as caught:
            read_object(cut)
        assert caught.value.hint


@pytest.mark.parametrize("name", MODELS)
def test_no_flipped_byte_crashes_the_reader_or_eats_memory(golden, tmp_path, rng, name):
    """Wherever a byte changes, the answer is a model of some numbers or DataError."""
    data = bytearray((golden / name).read_bytes())
    places = [*range(min(len(data), 150)), *rng.integers(0, len(data), 100)]
    tracemalloc.start()
    for place in places:
        bad = data.copy()
        bad[place] ^= int(rng.integers(1, 256))
        (tmp_path / "bad").write_bytes(bad)
        with contextlib.suppress(DataError):
            read_object(tmp_path / "bad")
    assert tracemalloc.get_traced_memory()[1] < 4 * len(data) + (1 << 22)
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("size", "problem"),
    [
        ((2**31 - 1, 2**31 - 1), "byte 43: expected [0-9]+ more bytes, got the end"),
        ((-1, 5), "byte 5: expected a count, an integer of 4 bytes"),
        ((3, 2), "byte 39: expected the end of the file, got"),
    ],
)
def test_a_corrupt_dimension_is_named(tmp_path, size, problem):
    path = tmp_path / "bad.mat"
    path.write_bytes(
        b"\0BFM " + struct.pack("<bibi", 4, size[0], 4, size[1]) + b"1" * 28
    )
    with pytest.raises(DataError, match=problem):
        read_matrix(path)


def test_errors_name_the_place_what_was_expected_and_what_came(golden, tmp_path):
    with pytest.raises(DataError, match=r"no such file"):
        read_plda(tmp_path / "plda")
    with pytest.raises(DataError, match=r"byte 2: expected '<Plda>', got '<DiagGMM>'"):
        read_plda(golden / "diag_ubm/0.dubm")
    with pytest.raises(DataError, match=r"expected one of <DiagGMM>.*got 'spk00-utt0'"):
        read_object(golden / "ivectors/train.ark")
    with pytest.raises(
        DataError, match=r"byte 2: expected a vector, FV or DV, got 'FM'"
    ):
        read_vector(golden / "backend/transform.mat")
    (tmp_path / "mean.vec").write_text(" [ 1 2 x ]\n")
    with pytest.raises(DataError, match=r"mean.vec:1: expected numbers.*'x'"):
        read_vector(tmp_path / "mean.vec")
    (tmp_path / "mean.vec").write_text(" [ 1 2 1_07 ]\n")
    with pytest.raises(DataError, match=r"mean.vec:1: expected numbers.*underscore"):
        read_vector(tmp_path / "mean.vec")
    (tmp_path / "ragged.mat").write_text(" [\n 1 2\n 3 ]\n")
    with pytest.raises(DataError, match=r"ragged.mat:3: expected rows of one length"):
        read_object(tmp_path / "ragged.mat")
    (tmp_path / "long.vec").write_text(" [ 1 ]\n [ 2 ]\n")
    with pytest.raises(DataError, match=r"long.vec:2: expected the end of the file"):
        read_vector(tmp_path / "long.vec")


def test_fields_that_do_not_fit_are_refused(golden, tmp_path):
    model = read_diag_gmm(golden / "diag_ubm/0.dubm")
    write_object(tmp_path / "bad", model._replace(weights=model.weights[:-1]))
    with pytest.raises(DataError, match=r"expected <WEIGHTS> of shape \(8,\), got"):
        read_object(tmp_path / "bad")
