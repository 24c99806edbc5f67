import numpy as np
import pytest

from asdkit import __main__ as command
from asdkit.backends.pipeline import Pipeline
from asdkit.io.kaldi import read_plda
from asdkit.io.store import load_arrays


@pytest.fixture
def train(golden, tmp_path):
    """Train a back-end of these steps on the golden i-vectors."""

    def train(steps):
        path = str(tmp_path / "backend.npz")
        options = ["--steps", steps, "--lda-dim", "8"]
        data = [str(golden / "data/train/utt2spk"), f"ark:{golden}/ivectors/train.ark"]
        assert command.main(["backend-train", *options, *data, path]) == 0
        return path

    return train


def test_golden_adaptation(train, golden, tmp_path):
    scales = ["--within-covar-scale", "0.75", "--between-covar-scale", "0.25"]
    vectors = f"ark:{golden}/ivectors/test.ark"
    adapted = str(tmp_path / "adapted.npz")
    backend = train("center,lda,length-norm,plda")
    assert command.main(["backend-adapt", *scales, backend, vectors, adapted]) == 0
    plda = Pipeline.from_state(*load_arrays(adapted, "Pipeline")).steps[-1]
    expected = read_plda(golden / "backend/plda_adapt")
    np.testing.assert_allclose(plda.psi_, expected.psi, rtol=1e-5)


def test_cosine_cannot_be_adapted(train, golden, tmp_path, capsys):
    backend = train("center,length-norm,cosine")
    vectors = f"ark:{golden}/ivectors/test.ark"
    adapted = tmp_path / "adapted.npz"
    assert command.main(["backend-adapt", backend, vectors, str(adapted)]) == 1
    assert "expected a back-end with PLDA, got Cosine" in capsys.readouterr().err
    assert not adapted.exists()
