"""Kaldi's own models, from the sound files on: its i-vectors, and its scores."""

import numpy as np
import pytest

import asdkit
from asdkit.features.frontend import FrontEnd
from asdkit.io.ark import read_arrays
from asdkit.kaldi.models import import_model


@pytest.fixture
def kaldi_model(golden, tmp_path):
    """Load Kaldi's extractor and PLDA model with its own .conf files."""
    import_model(golden / "extractor/3.ie", tmp_path, FrontEnd(), num_gselect=8)
    import_model(golden / "backend/plda", tmp_path / "plda.npz", FrontEnd())
    conf = {"features": golden / "mfcc.conf", "vad": golden / "vad.conf"}
    return asdkit.load(tmp_path, backend=tmp_path / "plda.npz", **conf)


def test_ivectors_of_sound_files_are_kaldis(golden, kaldi_model):
    theirs = dict(read_arrays(f"ark:{golden}/ivectors/test.ark"))
    files = [golden / "wav" / f"{utt}.flac" for utt in theirs]
    ours = kaldi_model.embed_many(files)
    for found, expected in zip(ours, theirs.values(), strict=True):
        error = np.linalg.norm(found - expected)
        assert error <= 1e-4 * np.linalg.norm(expected)


def test_scores_of_sound_files_are_kaldis(golden, kaldi_model):
    lines = (golden / "scores" / "plda_scores").read_text().splitlines()[::40]
    for enroll, test, expected in map(str.split, lines):
        files = (golden / "wav" / f"{utt}.flac" for utt in (enroll, test))
        score = kaldi_model.score(*files)
        assert score.kind == "PLDA LLR"
        np.testing.assert_allclose(float(score), float(expected), rtol=1e-3, atol=1e-3)
