import numpy as np
import pytest

from asdkit.backends.kaldi_format import (
    center_from_kaldi,
    center_to_kaldi,
    lda_from_kaldi,
    lda_to_kaldi,
    pipeline_from_kaldi,
    plda_from_kaldi,
    plda_to_kaldi,
)
from asdkit.backends.pipeline import Pipeline
from asdkit.backends.plda import Plda
from asdkit.base.errors import DataError
from asdkit.io.kaldi import (
    read_matrix,
    read_object,
    read_plda,
    read_vector,
    write_object,
    write_text,
)
from asdkit.io.store import load_arrays, save_arrays

WAYS = {
    "mean.vec": (center_from_kaldi, center_to_kaldi, write_text),
    "transform.mat": (lda_from_kaldi, lda_to_kaldi, write_object),
    "plda": (plda_from_kaldi, plda_to_kaldi, write_object),
    "plda_adapt": (plda_from_kaldi, plda_to_kaldi, write_object),
}


@pytest.mark.parametrize("name", WAYS)
def test_a_model_that_is_passed_on_stays_byte_identical(golden, tmp_path, name):
    from_kaldi, to_kaldi, write = WAYS[name]
    pipeline = Pipeline([from_kaldi(read_object(golden / "backend" / name))])
    save_arrays(tmp_path / "ours.npz", "Pipeline", *pipeline.to_state())
    (step,) = Pipeline.from_state(*load_arrays(tmp_path / "ours.npz", "Pipeline")).steps
    write(tmp_path / name, to_kaldi(step))
    original = (golden / "backend" / name).read_bytes()
    assert (tmp_path / name).read_bytes() == original


def test_the_offset_is_added_after_the_projection(rng):
    transform = rng.normal(size=(3, 6)).astype(np.float32)
    x = rng.normal(size=(4, 5))
    expected = np.hstack([x, np.ones((4, 1))]) @ transform.T  # as transform-vec does
    np.testing.assert_allclose(lda_from_kaldi(transform).transform(x), expected)


def test_steps_come_in_the_order_of_kaldis_scripts(golden):
    folder = golden / "backend"
    mean = read_vector(folder / "mean.vec")
    transform = read_matrix(folder / "transform.mat")
    plda = read_plda(folder / "plda")
    for mean_, transform_, names in [
        (mean, transform, ["Center", "Lda", "LengthNorm", "Plda"]),
        (None, transform, ["Lda", "LengthNorm", "Plda"]),
        (None, None, ["LengthNorm", "Plda"]),
    ]:
        pipeline = pipeline_from_kaldi(mean_, transform_, plda, "plda")
        assert [type(step).__name__ for step in pipeline.steps] == names


def test_parts_that_do_not_fit_are_refused(golden):
    folder = golden / "backend"
    mean = read_vector(folder / "mean.vec")
    transform = read_matrix(folder / "transform.mat")
    plda = read_plda(folder / "plda")
    with pytest.raises(DataError, match="plda: a PLDA of dimension 8, an LDA to 7"):
        pipeline_from_kaldi(mean, transform[:7], plda, "plda")
    with pytest.raises(
        DataError, match="plda: i-vectors of dimension 20, a mean of 19"
    ):
        pipeline_from_kaldi(mean[:19], transform, plda, "plda")
    with pytest.raises(DataError, match="plda: i-vectors of dimension 8, a mean of 20"):
        pipeline_from_kaldi(mean, None, plda, "plda")
    with pytest.raises(DataError, match="plda: its psi holds NaN"):
        pipeline_from_kaldi(
            mean, transform, plda._replace(psi=plda.psi * np.nan), "plda"
        )


def test_directions_that_a_model_leaves_out_are_noise_in_kaldis_form(rng):
    """Kaldi's matrix must be square and invertible, its psi rising from zero."""
    spk = np.repeat(np.arange(100), 4)
    x = rng.normal(size=(100, 3))[spk] + 0.5 * rng.normal(size=(400, 3))
    wide = x @ np.linalg.qr(rng.normal(size=(7, 3)))[0].T
    plda = Plda(normalize_length=False).fit(wide, spk)
    file = plda_to_kaldi(plda)
    assert file.transform.shape == (7, 7)
    assert file.psi[:3].tolist() == plda.psi_.tolist()
    assert file.psi[3:].tolist() == [0] * 4
    w = np.linalg.inv(file.transform)
    variances = np.linalg.eigvalsh(w @ w.T)
    np.testing.assert_allclose(variances[-5:], variances[-1], rtol=1e-9)
    back = plda_from_kaldi(file)
    back.normalize_length = False
    moved = wide + 0.1 * rng.normal(size=(400, 1)) * rng.normal(size=7)
    found, expected = (m.score(moved[:5], np.ones(5), moved[5:]) for m in (back, plda))
    np.testing.assert_allclose(found, expected, atol=1e-9)
