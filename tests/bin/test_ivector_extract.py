"""The program ivector-extract, with Kaldi's own extractor and features."""

import os
import subprocess
import sys

import numpy as np
import pytest

from asdkit.__main__ import main
from asdkit.backends.pipeline import Pipeline
from asdkit.features.frontend import FrontEnd
from asdkit.io.ark import ArkWriter, read_arrays
from asdkit.io.store import load_object
from asdkit.ivector.posterior_precision import average_posterior_precision
from asdkit.ivector.system import IvectorSystem
from asdkit.kaldi.models import import_model

PLACES = ["data", "exp/extractor", "exp/ivectors"]


@pytest.fixture
def data(golden, tmp_path, monkeypatch):
    """Kaldi's test features in data/ and its extractor; returns a writer of tables."""
    monkeypatch.chdir(tmp_path)
    os.mkdir("data")

    def write(name, arrays):
        with ArkWriter("ark", name) as writer:
            for utt, array in arrays.items():
                writer[utt] = array
        os.replace(f"ark/{name}.scp", f"data/{name}.scp")

    for name, kind in (("feats", "mfcc"), ("vad", "vad")):
        arrays = dict(read_arrays(f"ark:{golden}/feats/{kind}_test.ark"))
        setattr(write, name, arrays)
        write(name, arrays)
    import_model(golden / "extractor/3.ie", "exp/extractor", FrontEnd(), num_gselect=8)
    return write


def test_ivectors_are_kaldis(data, golden, capsys):
    assert main(["ivector-extract", "--device=cpu", *PLACES]) == 0
    theirs = dict(read_arrays(f"ark:{golden}/ivectors/test.ark"))
    ours = dict(read_arrays("exp/ivectors/ivector.scp"))
    assert ours.keys() == theirs.keys()
    for utt, ivector in ours.items():
        error = np.linalg.norm(ivector - theirs[utt])
        assert error <= 1e-4 * np.linalg.norm(theirs[utt])
    assert sorted(os.listdir("exp/ivectors")) == [
        "costs.jsonl",
        "ivector.ark",
        "ivector.scp",
        "results.json",
    ]
    assert "i-vectors of 24 of 24 utterances" in capsys.readouterr().err


def test_a_cosine_of_whitened_ivectors_knows_their_extractor(golden, data, capsys):
    assert main(["ivector-extract", "--device=cpu", *PLACES]) == 0
    train = ["backend-train", "--steps=center,posterior-whiten,length-norm,cosine"]
    places = [
        f"{golden}/data/test/utt2spk",
        "scp:exp/ivectors/ivector.scp",
        "cosine.npz",
    ]
    assert main([*train, *places]) == 1
    assert "name its directory by --extractor" in capsys.readouterr().err
    assert main([*train, "--extractor=exp/extractor", *places]) == 0
    system = load_object("exp/extractor/extractor.npz", IvectorSystem)
    ivectors = np.stack([x for _, x in read_arrays("exp/ivectors/ivector.scp")])
    precision = average_posterior_precision(system.extractor)
    values, axes = np.linalg.eigh(precision)
    white = (ivectors - ivectors.mean(axis=0)) @ axes * values**0.25 @ axes.T
    white /= np.linalg.norm(white, axis=1, keepdims=True)
    pipeline = load_object("cosine.npz", Pipeline)
    scores = pipeline.score(ivectors[:3], np.ones(3), ivectors)
    np.testing.assert_allclose(scores, white[:3] @ white.T, atol=1e-5)


def test_precisions_come_with_ivectors_if_asked_for(data):
    places = [*PLACES[:2], "sure"]
    assert main(["ivector-extract", "--device=cpu", *PLACES]) == 0
    assert main(["ivector-extract", "--with-precision=true", *places]) == 0
    ivectors, sure, precisions = (
        dict(read_arrays(path))
        for path in (
            "exp/ivectors/ivector.scp",
            "sure/ivector.scp",
            "sure/precision.scp",
        )
    )
    assert precisions.keys() == ivectors.keys()
    for utt, ivector in ivectors.items():
        assert np.array_equal(ivector, sure[utt])
        assert precisions[utt].shape == ivector.shape
        assert (precisions[utt] > 1).all()
    assert not os.path.exists("exp/ivectors/precision.scp")


def test_an_utterance_without_a_voiced_frame_is_named_and_skipped(data, capsys):
    utt = [*data.vad][3]
    data("vad", {**data.vad, utt: 0 * data.vad[utt]})
    assert main(["ivector-extract", "--device=cpu", *PLACES]) == 0
    error = capsys.readouterr().err
    assert f"1 of 24 utterances have no voiced frame: skipped {utt}" in error
    assert "i-vectors of 23 of 24 utterances" in error
    assert utt not in dict(read_arrays("exp/ivectors/ivector.scp"))


@pytest.mark.slow
def test_two_ranks_share_the_utterances(data):
    assert main(["ivector-extract", "--device=cpu", *PLACES]) == 0
    launcher = ["torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    command = [sys.executable, "-m", *launcher, "-m", "asdkit", "ivector-extract"]
    places = ["data", "exp/extractor", "two"]
    subprocess.run([*command, *places], check=True, timeout=120)
    one = dict(read_arrays("exp/ivectors/ivector.scp"))
    two = dict(read_arrays("two/ivector.scp"))
    assert one.keys() == two.keys()
    for utt, ivector in one.items():
        np.testing.assert_allclose(two[utt], ivector, atol=1e-4)


@pytest.mark.parametrize(
    ("feats", "message"),
    [
        ({"a": np.ones((200, 20))}, "a: expected frames of 72 dimensions, as in the"),
        ({}, "data: expected utterances, feats.scp has none"),
        ({"a": np.full((200, 24), np.nan)}, "'a' holds NaN or infinity"),
    ],
)
@pytest.mark.usefixtures("damaged")
def test_bad_features_are_one_line_and_leave_nothing(data, capsys, feats, message):
    data("feats", feats)
    data("vad", {utt: np.ones(200, np.float32) for utt in feats})
    assert main(["ivector-extract", "--device=cpu", *PLACES]) == 1
    error = [x for x in capsys.readouterr().err.splitlines() if "error:" in x]
    assert len(error) == 1
    assert message in error[0]
    assert not os.path.exists("exp/ivectors/ivector.scp")
    assert not os.path.exists("exp/ivectors/ivector.ark")


def test_another_model_is_refused(data, capsys):
    os.replace("exp/extractor/extractor.npz", "exp/extractor/moved.npz")
    assert main(["ivector-extract", "--device=cpu", *PLACES]) == 1
    assert "exp/extractor/extractor.npz: no such model file" in capsys.readouterr().err
