"""Everything a directory of Kaldi's can hold: taken, applied, ignored, or refused."""

import gzip

import kaldiio
import numpy as np
import pytest

from asdkit.__main__ import main
from asdkit.backends.kaldi_format import chain_transforms, pipeline_from_kaldi
from asdkit.base.errors import DataError
from asdkit.io.ark import read_arrays
from asdkit.io.kaldi import PldaFile, read_plda, write_object
from asdkit.io.store import load_object
from asdkit.io.tables import read_table
from asdkit.kaldi.import_data import import_directory
from asdkit.kaldi.models import Pipeline


def run(*words):
    return main([str(word) for word in words])


def test_folders_of_jobs_are_ignored(lab, tmp_path):
    for name in ("split2/1", "split2utt/1", ".backup", "log", "conf"):
        (lab / name).mkdir(parents=True)
        (lab / name / "utt2spk").write_text("nobody nobody\n")
    import_directory(lab, tmp_path / "out")
    assert "nobody" not in read_table(tmp_path / "out/utt2spk")
    assert not [path for path in (tmp_path / "out").rglob("*") if path.is_dir()]


def test_text_and_compressed_archives_are_read_in_every_table(lab, tmp_path):
    feats = dict(read_arrays(f"scp:{lab}/feats.scp"))
    vad = dict(read_arrays(f"scp:{lab}/vad.scp"))
    kaldiio.save_ark("c.ark", feats, scp=str(lab / "feats.scp"), compression_method=2)
    kaldiio.save_ark("v.txt", vad, scp=str(lab / "vad.scp"), text=True)
    import_directory(lab, tmp_path / "out")
    for utt, x in read_arrays(f"scp:{tmp_path}/out/feats.scp"):
        assert np.abs(x - feats[utt]).max() < 0.1
    for utt, x in read_arrays(f"scp:{tmp_path}/out/vad.scp"):
        np.testing.assert_array_equal(x, vad[utt])


PLDA_FORMS = ["binary float", "text", "text, gzipped"]


@pytest.mark.parametrize("form", PLDA_FORMS)
def test_plda_of_other_forms_scores_the_same(golden, tmp_path, rng, form):
    """Single precision is what Kaldi wrote when it was compiled so."""
    file = read_plda(golden / "backend/plda")
    path = tmp_path / "plda"
    if form == "binary float":
        write_object(path, PldaFile(*(x.astype(np.float32) for x in file)))
    else:
        rows = "\n  ".join(" ".join(map(repr, row)) for row in file.transform.tolist())
        mean, psi = (" ".join(map(repr, x.tolist())) for x in (file.mean, file.psi))
        text = f"<Plda>  [ {mean} ]\n [\n  {rows} ]\n [ {psi} ]\n</Plda> ".encode()
        path.write_bytes(gzip.compress(text) if "gzipped" in form else text)
    assert run("kaldi-import", path, tmp_path / "ours.npz") == 0
    ours = load_object(tmp_path / "ours.npz", Pipeline)
    theirs = pipeline_from_kaldi(None, None, file, path)
    x = rng.normal(size=(6, len(file.mean)))
    for pipeline in (ours, theirs):
        pipeline.scores = pipeline.score_trials(
            x[:3], np.ones(3), x[3:], np.arange(3), np.arange(3)
        )
    np.testing.assert_allclose(ours.scores, theirs.scores, rtol=1e-4)


def apply(transform, x):
    """As transform-vec does: a column more than x has is an offset."""
    if transform.shape[1] == len(x) + 1:
        x = np.append(x, 1)
    return transform @ x


def test_transforms_are_chained_as_transform_vec_would(rng):
    x = rng.normal(size=6)
    chain = [rng.normal(size=shape) for shape in ((5, 7), (4, 5), (3, 5))]
    expected = x
    for transform in chain:
        expected = apply(transform, expected)
    np.testing.assert_allclose(apply(chain_transforms(chain), x), expected)
    with pytest.raises(ValueError, match="transform 2: expected 5 or 6 columns, got 9"):
        chain_transforms([chain[0], np.ones((2, 9))])


def test_a_chain_of_files_goes_before_plda(golden, tmp_path, rng):
    mean = rng.normal(size=20).astype(np.float32)
    pca = rng.normal(size=(12, 21)).astype(np.float32)
    lda = rng.normal(size=(8, 12)).astype(np.float32)  # without an offset
    plda = tmp_path / "plda"
    plda.write_bytes((golden / "backend/plda").read_bytes())
    for name, array in (("mean.vec", mean), ("pca.mat", pca), ("lda.mat", lda)):
        write_object(tmp_path / name, array)
    chain = f"{tmp_path}/pca.mat,{tmp_path}/lda.mat"
    assert run("kaldi-import", "--transforms", chain, plda, tmp_path / "ours.npz") == 0
    center, affine, *_ = load_object(tmp_path / "ours.npz", Pipeline).steps
    x = rng.normal(size=(1, 20))
    expected = apply(lda, apply(pca, x[0] - mean))
    ours = affine.transform(center.transform(x))[0]
    np.testing.assert_allclose(ours, expected, rtol=1e-5)


def test_parts_of_a_back_end_may_lie_apart(golden, tmp_path, capsys):
    """As in sre16: the mean with unlabeled calls, the rest with labeled ones."""
    place, ours = tmp_path / "major", tmp_path / "ours.npz"
    place.mkdir()
    for name in ("mean.vec", "plda_adapt"):
        (place / name).write_bytes((golden / "backend" / name).read_bytes())
    mean = "--mean", place / "mean.vec"
    transforms = "--transforms", golden / "backend/transform.mat"
    assert run("kaldi-import", *mean, *transforms, place / "plda_adapt", ours) == 0
    kinds = [type(step).__name__ for step in load_object(ours, Pipeline).steps]
    assert kinds == ["Center", "Lda", "LengthNorm", "Plda"]
    lone = tmp_path / "plda"
    lone.write_bytes((golden / "backend/plda").read_bytes())
    assert run("kaldi-import", *mean, lone, tmp_path / "b.npz") == 1  # without LDA
    assert "i-vectors of dimension 8, a mean of 20" in capsys.readouterr().err
    assert run("kaldi-import", "--mean", "no.vec", lone, tmp_path / "b.npz") != 0
    assert not (tmp_path / "b.npz").exists()


def test_a_transform_without_an_offset_is_told_by_the_mean(golden, rng):
    plda = read_plda(golden / "backend/plda")
    transform = rng.normal(size=(8, 20))
    pipeline = pipeline_from_kaldi(np.zeros(20), transform, plda, "plda")
    x = rng.normal(size=(2, 20))
    np.testing.assert_allclose(pipeline.steps[1].transform(x), x @ transform.T)
    with pytest.raises(DataError, match="i-vectors of dimension 19, a mean of 21"):
        pipeline_from_kaldi(np.zeros(21), transform, plda, "plda")
