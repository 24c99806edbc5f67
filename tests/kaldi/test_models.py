import shutil

import numpy as np
import pytest

from asdkit.__main__ import main
from asdkit.backends.cosine import Cosine
from asdkit.backends.length_norm import LengthNorm
from asdkit.backends.pipeline import Pipeline
from asdkit.backends.posterior_whitening import PosteriorWhitening
from asdkit.base.errors import DataError
from asdkit.features.frontend import FrontEnd
from asdkit.io.ark import read_arrays
from asdkit.io.store import load_arrays, save_arrays
from asdkit.io.trials import match_scores, read_scores, read_trials
from asdkit.io.vectors import read_vectors
from asdkit.ivector.system import IvectorSystem
from asdkit.kaldi.models import export_model, import_model
from asdkit.models.ubm_files import load_ubm


def load_system(path):
    return IvectorSystem.from_state(*load_arrays(path, "IvectorSystem"))


def load_pipeline(path):
    return Pipeline.from_state(*load_arrays(path, "Pipeline"))


def same(folder, other, *names):
    for name in names:
        assert (folder / name).read_bytes() == (other / name).read_bytes(), name


def test_an_extractor_comes_with_its_ubm_and_goes_as_it_came(golden, tmp_path):
    import_model(golden / "extractor" / "3.ie", tmp_path / "ours", FrontEnd())
    export_model(tmp_path / "ours" / "extractor.npz", tmp_path / "kaldi")
    same(tmp_path / "kaldi", golden / "extractor", "final.ubm", "final.dubm")
    exported = (tmp_path / "kaldi" / "final.ie").read_bytes()
    assert exported == (golden / "extractor" / "3.ie").read_bytes()


@pytest.mark.parametrize(
    "name", ["diag_ubm/final.dubm", "full_ubm/final.ubm", "extractor/final.ubm"]
)
def test_a_ubm_goes_as_it_came(golden, tmp_path, name):
    import_model(golden / name, tmp_path / "ours", FrontEnd(cmn_window=200))
    ubm, frontend = load_ubm(tmp_path / "ours" / "ubm.npz")
    assert frontend == FrontEnd(cmn_window=200)
    assert ubm.diag.means_.shape == ubm.full.means_.shape
    export_model(tmp_path / "ours" / "ubm.npz", tmp_path / "kaldi")
    folder, _, file = name.partition("/")
    same(tmp_path / "kaldi", golden / folder, file)


def test_a_back_end_goes_as_it_came(golden, tmp_path):
    import_model(golden / "backend" / "plda", tmp_path / "b.npz", FrontEnd())
    names = [type(step).__name__ for step in load_pipeline(tmp_path / "b.npz").steps]
    assert names == ["Center", "Lda", "LengthNorm", "Plda"]
    export_model(tmp_path / "b.npz", tmp_path / "kaldi")
    same(tmp_path / "kaldi", golden / "backend", "mean.vec", "transform.mat", "plda")


@pytest.mark.parametrize("name", ["mean.vec", "transform.mat"])
def test_one_step_alone_goes_as_it_came(golden, tmp_path, name):
    import_model(golden / "backend" / name, tmp_path / "step.npz", FrontEnd())
    export_model(tmp_path / "step.npz", tmp_path / "kaldi")
    same(tmp_path / "kaldi", golden / "backend", name)
    assert len(list((tmp_path / "kaldi").iterdir())) == 1


def test_plda_without_neighbors_is_taken_alone(golden, tmp_path):
    shutil.copy(golden / "backend" / "plda", tmp_path)
    import_model(tmp_path / "plda", tmp_path / "b.npz", FrontEnd())
    names = [type(step).__name__ for step in load_pipeline(tmp_path / "b.npz").steps]
    assert names == ["LengthNorm", "Plda"]


def test_an_imported_extractor_gives_kaldis_ivectors(golden, tmp_path):
    """The whole way a lab goes: features and models in, i-vectors out."""
    import_model(golden / "extractor" / "3.ie", tmp_path, FrontEnd())
    system = load_system(tmp_path / "extractor.npz")
    voiced = dict(read_arrays(f"ark:{golden}/feats/vad_test.ark"))
    kaldis = dict(read_arrays(f"ark:{golden}/ivectors/test.ark"))
    batches = []
    for utt, feats in read_arrays(f"ark:{golden}/feats/mfcc_test.ark"):
        frames = system.frontend(feats, voiced[utt] != 0)
        batches.append(([utt], frames, np.array([0, len(frames)])))
    ivectors = dict(system.extract(batches))
    assert ivectors.keys() == kaldis.keys()
    for utt, ours in ivectors.items():
        distance = np.linalg.norm(ours - kaldis[utt])
        assert distance < 1e-4 * np.linalg.norm(kaldis[utt])


def test_an_imported_back_end_gives_kaldis_scores(golden, tmp_path):
    import_model(golden / "backend" / "plda", tmp_path / "b.npz", FrontEnd())
    paths = golden / "data" / "test" / "trials", golden / "scores" / "plda_scores"
    trials = read_trials(paths[0])
    kaldis = match_scores(trials, read_scores(paths[1]), *paths)
    vectors = read_vectors(f"ark:{golden}/ivectors/test.ark")
    enroll = vectors.find(trials.enroll_ids, paths[0])
    test = vectors.find(trials.test_ids, paths[0])
    scores = load_pipeline(tmp_path / "b.npz").score_trials(
        enroll, np.ones(len(enroll)), test, trials.enroll, trials.test
    )
    np.testing.assert_allclose(scores, kaldis, atol=1e-3)


def test_what_is_missing_or_does_not_fit_is_named(golden, tmp_path):
    shutil.copy(golden / "extractor" / "3.ie", tmp_path / "final.ie")
    with pytest.raises(DataError, match=r"final\.ubm: no such file"):
        import_model(tmp_path / "final.ie", tmp_path / "ours", FrontEnd())
    assert not (tmp_path / "ours").exists()
    with pytest.raises(DataError, match="expected a Kaldi object"):
        import_model(golden / "README.md", tmp_path / "ours", FrontEnd())


def test_a_back_end_kaldi_cannot_hold_is_refused(golden, tmp_path):
    path = tmp_path / "b.npz"
    save_arrays(path, "Pipeline", *Pipeline([Cosine()]).to_state())
    with pytest.raises(DataError, match="no step of this back-end has a file"):
        export_model(path, tmp_path / "kaldi")
    import_model(golden / "backend" / "mean.vec", path, FrontEnd())
    (center,) = load_pipeline(path).steps
    save_arrays(path, "Pipeline", *Pipeline([center, center]).to_state())
    with pytest.raises(DataError, match=r"two steps would both be mean\.vec"):
        export_model(path, tmp_path / "kaldi")
    save_arrays(path, "Other", {}, {})
    with pytest.raises(DataError, match="expected a UBM, extractor or back-end"):
        export_model(path, tmp_path / "kaldi")
    assert not (tmp_path / "kaldi").exists()


def test_a_step_that_kaldi_has_no_file_for_is_not_left_out(golden, tmp_path, capsys):
    """It was: the files then scored what the back-end would not."""
    path, out = tmp_path / "b.npz", tmp_path / "kaldi"
    import_model(golden / "backend" / "mean.vec", path, FrontEnd())
    (center,) = load_pipeline(path).steps
    whitening = PosteriorWhitening().know(np.eye(len(center.mean_)))
    steps = [center, whitening, LengthNorm(), Cosine()]
    save_arrays(path, "Pipeline", *Pipeline(steps).to_state())
    assert main(["kaldi-export", str(path), str(out)]) == 1
    error, hint = capsys.readouterr().err.splitlines()[-2:]
    assert error.endswith(f"{path}: Kaldi has no file for its PosteriorWhitening")
    assert "--steps center,lda,length-norm,plda" in hint
    assert not out.exists()


def test_steps_in_an_order_that_kaldi_does_not_have_are_refused(golden, tmp_path):
    import_model(golden / "backend" / "plda", tmp_path / "b.npz", FrontEnd())
    center, lda, *rest = load_pipeline(tmp_path / "b.npz").steps
    steps = Pipeline([lda, center, *rest])
    save_arrays(tmp_path / "b.npz", "Pipeline", *steps.to_state())
    with pytest.raises(DataError, match=r"apply mean\.vec before transform\.mat"):
        export_model(tmp_path / "b.npz", tmp_path / "kaldi")
