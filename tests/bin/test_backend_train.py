import numpy as np
import pytest

from asdkit import __main__ as command
from asdkit.backends.pipeline import Pipeline
from asdkit.io.ark import ArkWriter
from asdkit.io.store import load_arrays


@pytest.fixture
def run(golden, tmp_path, capsys):
    """Train on the golden i-vectors; return the exit code and the last message."""

    def run(*options, utt2spk=golden / "data/train/utt2spk", vectors=None):
        vectors = vectors or f"ark:{golden}/ivectors/train.ark"
        arguments = [str(utt2spk), vectors, str(tmp_path / "backend.npz")]
        code = command.main(["backend-train", *options, *arguments])
        return code, capsys.readouterr().err

    return run


def test_the_default_is_kaldis_chain(run, tmp_path):
    code, _ = run("--lda-dim", "8", "--num-iters", "3")
    assert code == 0
    pipeline = Pipeline.from_state(*load_arrays(tmp_path / "backend.npz", "Pipeline"))
    names = [type(step).__name__ for step in pipeline.steps]
    assert names == ["Center", "Lda", "LengthNorm", "Plda"]
    assert pipeline.steps[1].lda_dim == 8
    assert pipeline.steps[3].num_iters == 3


def test_what_has_no_partner_is_counted(run, golden, tmp_path):
    lines = (golden / "data/train/utt2spk").read_text().splitlines()
    utt2spk = tmp_path / "utt2spk"
    utt2spk.write_text("\n".join([*lines[3:], "zz-utt0 zz"]))
    code, err = run("--steps", "center,plda", utt2spk=utt2spk)
    assert code == 0
    expected = "45 utterances (3 without a speaker, 1 without a vector)"
    assert f"backend-train: {expected}" in err


def test_skipping_more_than_is_kept_is_an_error(run, golden):
    code, err = run(utt2spk=golden / "data/test/utt2spk")
    assert code == 1
    assert "error: ark:" in err
    assert "only 0 of its utterances are in" in err


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--lda-dim", "12"], "lda: 12 speakers differ in at most 11 dimensions"),
        (["--lda-dim", "21"], "lda: 20-dimensional embeddings cannot give 21"),
    ],
)
def test_what_cannot_be_trained_is_one_line_and_no_file(
    run, tmp_path, options, problem
):
    code, err = run(*options)
    assert code == 1
    assert f"asdkit backend-train: error: {problem}" in err
    assert not list(tmp_path.iterdir())


def test_an_unknown_step_is_wrong_usage(run, capsys):
    with pytest.raises(SystemExit) as stop:
        run("--steps", "center,pca")
    assert stop.value.code == 2
    assert "got 'pca'" in capsys.readouterr().err


@pytest.mark.usefixtures("damaged")
def test_nan_is_named(run, tmp_path, rng):
    with ArkWriter(tmp_path / "nan", "ivector") as writer:
        for utt in ("spk00-utt0", "spk00-utt1"):
            writer[utt] = np.full(4, np.nan if utt.endswith("1") else 0.0)
    code, err = run(vectors=f"scp:{writer.scp}")
    assert code == 1
    assert "'spk00-utt1' holds NaN" in err
