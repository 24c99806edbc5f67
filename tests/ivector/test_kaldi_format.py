import numpy as np
import pytest

from asdkit.base.errors import DataError
from asdkit.gmm.diagonal import DiagGmm
from asdkit.gmm.full import FullGmm
from asdkit.io.kaldi import (
    read_diag_gmm,
    read_full_gmm,
    read_ivector_extractor,
    read_object,
    write_object,
)
from asdkit.io.store import load_model, save_model
from asdkit.ivector.extractor import IvectorExtractor
from asdkit.ivector.kaldi_format import (
    diag_gmm_from_kaldi,
    diag_gmm_to_kaldi,
    extractor_from_kaldi,
    extractor_to_kaldi,
    full_gmm_from_kaldi,
    full_gmm_to_kaldi,
)

WAYS = {
    "dubm": (DiagGmm, diag_gmm_from_kaldi, diag_gmm_to_kaldi),
    "ubm": (FullGmm, full_gmm_from_kaldi, full_gmm_to_kaldi),
    "ie": (IvectorExtractor, extractor_from_kaldi, extractor_to_kaldi),
}
NAMES = [
    *(f"diag_ubm/{k}.dubm" for k in (0, 1, 2, 3, "final")),
    *(f"full_ubm/{k}.ubm" for k in (0, 1, "final")),
    *(f"extractor/{k}.ie" for k in (0, 1, 2, 3)),
    "extractor/final.dubm",
    "extractor/final.ubm",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_model_that_is_passed_on_stays_byte_identical(golden, tmp_path, name):
    kind, from_kaldi, to_kaldi = WAYS[name.rpartition(".")[2]]
    save_model(tmp_path / "ours.npz", from_kaldi(read_object(golden / name), name))
    write_object(tmp_path / "copy", to_kaldi(load_model(tmp_path / "ours.npz", kind)))
    assert (tmp_path / "copy").read_bytes() == (golden / name).read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_a_model_without_memory_is_the_same_up_to_rounding(golden, name):
    """What was trained here has no file to repeat, and must be right as well."""
    _, from_kaldi, to_kaldi = WAYS[name.rpartition(".")[2]]
    file = read_object(golden / name)
    model = from_kaldi(file, name)
    forgotten = [name for name in vars(model) if name.startswith("kaldi_")]
    assert forgotten
    for attribute in forgotten:
        delattr(model, attribute)
    for ours, theirs in zip(to_kaldi(model), file, strict=True):
        theirs = np.asarray(theirs)
        assert np.asarray(ours).dtype == theirs.dtype
        scale = np.abs(theirs).max(initial=0)
        tight = 2e-6 if theirs.dtype == np.float32 else 1e-9
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=tight * scale)


def test_a_model_that_was_changed_is_not_written_as_it_was_read(golden):
    file = read_full_gmm(golden / "full_ubm/1.ubm")
    gmm = full_gmm_from_kaldi(file, "1.ubm")
    gmm.covars_[0] *= 1.001
    written = full_gmm_to_kaldi(gmm)
    np.testing.assert_allclose(written.inv_covars[0], file.inv_covars[0] / 1.001, 1e-5)
    assert np.any(written.gconsts != file.gconsts)

    extractor = extractor_from_kaldi(
        read_ivector_extractor(golden / "extractor/2.ie"), ""
    )
    before = extractor.kaldi_sigma_inv_.copy()
    extractor.covars_ *= 1 + 1e-6
    np.testing.assert_allclose(
        extractor_to_kaldi(extractor).sigma_inv, before / (1 + 1e-6), rtol=1e-7
    )


def test_gaussians_are_the_ones_in_the_file(golden):
    """Written out: kaldi stores S^-1 and S^-1 m, and log-likelihood at the origin."""
    file = read_full_gmm(golden / "full_ubm/final.ubm")
    gmm = full_gmm_from_kaldi(file, "final.ubm")
    g = 3
    dim = file.means_invcovars.shape[1]
    precision = np.zeros((dim, dim))
    precision[np.tril_indices(dim)] = file.inv_covars[g]
    precision += np.tril(precision, -1).T
    np.testing.assert_allclose(gmm.covars_[g] @ precision, np.eye(dim), atol=1e-9)
    np.testing.assert_allclose(
        precision @ gmm.means_[g], file.means_invcovars[g], atol=1e-5
    )
    at_origin = (
        np.log(file.weights[g])
        - 0.5 * (dim * np.log(2 * np.pi) - np.linalg.slogdet(precision)[1])
        - 0.5 * gmm.means_[g] @ precision @ gmm.means_[g]
    )
    assert file.gconsts[g] == pytest.approx(at_origin, abs=1e-3)
    diag = read_diag_gmm(golden / "diag_ubm/final.dubm")
    np.testing.assert_allclose(
        diag_gmm_from_kaldi(diag, "").means_, diag.means_invvars / diag.inv_vars, 1e-6
    )


def test_models_that_cannot_be_are_refused(golden):
    diag = read_diag_gmm(golden / "diag_ubm/0.dubm")
    with pytest.raises(DataError, match=r"0\.dubm: 'means_invvars' holds NaN"):
        diag_gmm_from_kaldi(
            diag._replace(means_invvars=diag.means_invvars * np.nan), "0.dubm"
        )
    with pytest.raises(DataError, match=r"0\.dubm: expected positive variances"):
        diag_gmm_from_kaldi(diag._replace(inv_vars=-diag.inv_vars), "0.dubm")
    full = read_full_gmm(golden / "full_ubm/0.ubm")
    with pytest.raises(DataError, match=r"0\.ubm: expected positive definite"):
        full_gmm_from_kaldi(full._replace(inv_covars=-full.inv_covars), "0.ubm")
    file = read_ivector_extractor(golden / "extractor/0.ie")
    with pytest.raises(DataError, match=r"0\.ie: its weights depend on the i-vector"):
        extractor_from_kaldi(file._replace(w=np.ones((8, 20))), "0.ie")
