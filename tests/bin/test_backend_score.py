import numpy as np
import pytest

from asdkit import __main__ as command
from asdkit.backends.cosine import Dot
from asdkit.backends.pipeline import Pipeline
from asdkit.io.ark import ArkWriter
from asdkit.io.store import save_arrays


@pytest.fixture
def backend(golden, tmp_path):
    """Kaldi's chain, trained on the golden i-vectors."""
    path = str(tmp_path / "backend.npz")
    data = [str(golden / "data/train/utt2spk"), f"ark:{golden}/ivectors/train.ark"]
    assert command.main(["backend-train", "--lda-dim", "8", *data, path]) == 0
    return path


@pytest.fixture
def run(golden, tmp_path, capsys):
    """Score; return the exit code and the messages."""

    def run(backend, trials, *options, vectors=None):
        vectors = vectors or f"ark:{golden}/ivectors/test.ark"
        scores = str(tmp_path / "scores")
        arguments = [*options, str(backend), str(trials), vectors, scores]
        code = command.main(["backend-score", *arguments])
        return code, capsys.readouterr().err

    return run


def values(path):
    return np.loadtxt(path, usecols=2)


def test_golden_scores(run, backend, golden, tmp_path):
    code, err = run(backend, golden / "data/test/trials")
    assert code == 0
    assert "backend-score: 276 trials, 23 models of 23 utterances, 23 test" in err
    expected = values(golden / "scores/plda_scores")
    np.testing.assert_allclose(values(tmp_path / "scores"), expected, atol=1e-3)


def test_golden_scores_of_models(run, backend, golden, tmp_path):
    spk2utt = ["--enroll-spk2utt", str(golden / "data/test/enroll.spk2utt")]
    code, err = run(backend, golden / "data/test/trials_multi", *spk2utt)
    assert code == 0
    assert "36 trials, 6 models of 18 utterances, 6 test utterances" in err
    expected = values(golden / "scores/plda_scores_multi")
    np.testing.assert_allclose(values(tmp_path / "scores"), expected, atol=1e-3)


def test_enrolled_vectors_may_be_others(run, tmp_path):
    dot = str(tmp_path / "dot.npz")
    save_arrays(dot, "Pipeline", *Pipeline([Dot()]).to_state())
    trials = tmp_path / "trials"
    trials.write_text("a x target\nb x spoof\n")  # of a corpus with spoofs
    for name, of in (("enroll", {"a": 2, "b": 3}), ("test", {"x": 10, "a": 99})):
        with ArkWriter(tmp_path, name) as writer:
            for key, value in of.items():
                writer[key] = np.array([value, 0])
    enroll = ["--enroll-vectors", f"scp:{tmp_path}/enroll.scp"]
    code, _ = run(dot, trials, *enroll, vectors=f"scp:{tmp_path}/test.scp")
    assert code == 0
    assert (tmp_path / "scores").read_text() == "a x 20\nb x 30\n"


def test_unknown_utterances_are_named(run, backend, tmp_path):
    trials = tmp_path / "trials"
    trials.write_text("spk12-utt0 nobody target\nspk12-utt0 spk12-utt1 target\n")
    code, err = run(backend, trials)
    assert code == 1
    assert "trials: 1 of 2 ids are not in ark:" in err
    assert "'nobody'" in err
    assert not (tmp_path / "scores").exists()


def test_other_dimensions_are_said(run, backend, golden, tmp_path):
    with ArkWriter(tmp_path, "ivector") as writer:
        writer["spk12-utt0"] = np.zeros(30)
    vectors = f"scp:{writer.scp}"
    code, err = run(backend, golden / "data/test/trials", vectors=vectors)
    assert code == 1
    assert "expected vectors of 20 dimensions" in err
    assert "got 30" in err
    options = ["--enroll-vectors", vectors]
    code, err = run(backend, golden / "data/test/trials", *options)
    assert code == 1
    assert "expected vectors of 20 dimensions" in err
