"""The program vad-compute: what it leaves behind, and what stops it."""

import json
import os
import sys

import numpy as np
import pytest

from asdkit.__main__ import main
from asdkit.data.feats_info import VadInfo, read_vad_info
from asdkit.data.manifests import Utterance, write_utterances
from asdkit.io.ark import ArkWriter, read_arrays
from asdkit.io.rttm import read_rttm
from asdkit.segmentation.segments import segments_of
from asdkit.vad.detection import EnergyDetector, compute_vad
from asdkit.vad.energy import energy_vad


@pytest.fixture
def corpus(tmp_path, rng, monkeypatch):
    """Features of four utterances in data/; returns a function that writes others."""
    monkeypatch.chdir(tmp_path)
    os.mkdir("data")

    def write(feats):
        with ArkWriter("feats", "feats") as writer:
            for utt, matrix in feats.items():
                writer[utt] = matrix
        os.replace("feats/feats.scp", "data/feats.scp")

    feats = {f"s{n}": rng.standard_normal((50 + n, 3)) for n in range(4)}
    for matrix in feats.values():
        matrix[:, 0] = 10 + 10 * np.sin(np.arange(len(matrix)) / 5)
    write(feats)
    write.feats = feats
    return write


def leftovers():
    return sorted(
        os.path.join(d, f) for d, _, names in os.walk(".") for f in names if "vad" in f
    )


def test_it_writes_zeros_and_ones_as_kaldi_does(corpus):
    options = {
        "vad_energy_threshold": 4.0,
        "vad_frames_context": 2,
        "vad_proportion_threshold": 0.3,
    }
    flags = [f"--{k.replace('_', '-')}={value}" for k, value in options.items()]
    assert main(["vad-compute", *flags, "data", "exp/vad"]) == 0
    written = [f"./exp/vad/vad.{kind}" for kind in ("ark", "json", "scp")]
    assert leftovers() == ["./data/vad.scp", *written]
    vad = dict(read_arrays("scp:data/vad.scp"))
    assert vad.keys() == corpus.feats.keys()
    for utt, decisions in vad.items():
        assert decisions.dtype == np.float32
        expected = energy_vad(corpus.feats[utt][:, 0].astype(np.float32), **options)
        np.testing.assert_array_equal(decisions, expected)
        assert 0 < decisions.sum() < len(decisions)


def test_the_method_and_all_its_options_are_remembered(corpus):
    assert read_vad_info_after(["--vad-frames-context=2"]) == VadInfo(
        "energy",
        {
            "vad_energy_threshold": 5.0,
            "vad_energy_mean_scale": 0.5,
            "vad_frames_context": 2,
            "vad_proportion_threshold": 0.6,
        },
    )


def read_vad_info_after(flags):
    assert main(["vad-compute", *flags, "data", "exp/vad"]) == 0
    return read_vad_info("data")


def test_decisions_that_nobody_describes_leave_no_older_description(corpus):
    assert read_vad_info_after([]) is not None
    compute_vad("data", "exp/vad", EnergyDetector(energy_vad))
    assert read_vad_info("data") is None


def test_kaldis_conf_file_works_unchanged(corpus, golden):
    """And the decisions are Kaldi's, from Kaldi's features."""
    feats = dict(read_arrays(f"ark:{golden}/feats/mfcc_test.ark"))
    corpus(feats)
    assert main(["vad-compute", f"--config={golden}/vad.conf", "data", "exp"]) == 0
    vad = dict(read_arrays("scp:data/vad.scp"))
    for utt, kaldi in read_arrays(f"ark:{golden}/feats/vad_test.ark"):
        np.testing.assert_array_equal(vad[utt], kaldi)


def test_utterances_without_speech_are_counted(corpus, capsys):
    silence = np.full((30, 3), -15.9)
    corpus({**corpus.feats, "t0": silence, "t1": silence})
    assert main(["vad-compute", "data", "exp"]) == 0
    assert "of 266 frames voiced; 2 without speech" in capsys.readouterr().err
    assert not dict(read_arrays("scp:data/vad.scp"))["t0"].any()


def truncate():
    with open("feats/feats.ark", "r+b") as stream:
        stream.truncate(os.path.getsize("feats/feats.ark") - 100)


def describe(**info):
    with open("feats/feats.json", "w") as stream:
        json.dump(info, stream)


SILENCE = {f"t{n}": np.full((30, 3), -15.9) for n in range(5)}
FBANK = {"type": "fbank", "dim": 3, "options": {"use_energy": False}}
HTK = {"type": "mfcc", "dim": 3, "options": {"htk_compat": True}}


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda write: write(SILENCE), "5 of 5 utterances have no speech"),
        (
            lambda write: write({"s0": np.full((9, 3), np.nan)}),
            "'s0': energy is NaN or infinite",
        ),
        (lambda write: write({"s0": np.ones(9)}), "'s0': expected frames, got shape"),
        (lambda write: write({"s0": np.ones((0, 3))}), "'s0': expected frames, got sh"),
        (lambda write: write({}), "data/feats.scp: expected features, got none"),
        (lambda write: truncate(), "feats/feats.ark: cannot read 's3'"),
        (lambda write: os.remove("feats/feats.ark"), "feats/feats.ark: cannot read"),
        (lambda write: os.remove("data/feats.scp"), "data/feats.scp: cannot read"),
        (lambda write: describe(**FBANK), "expected log energy in the first column"),
        (lambda write: describe(**HTK), "expected log energy in the first column"),
        (lambda write: describe(dim=3), "feats.json: not a description of features"),
    ],
)
@pytest.mark.usefixtures("damaged")
def test_bad_features_are_one_line_and_leave_nothing(corpus, capsys, harm, message):
    harm(corpus)
    assert main(["vad-compute", "data", "exp"]) == 1
    lines = capsys.readouterr().err.splitlines()
    error = [line for line in lines if "error:" in line]
    assert len(error) == 1
    assert message in error[0]
    assert leftovers() == []


def test_an_impossible_option_is_one_line(corpus, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["vad-compute", "--vad-proportion-threshold=1", "data", "exp"])
    error = capsys.readouterr().err
    assert "--vad-proportion-threshold: expected a number above 0 and below 1" in error
    assert leftovers() == []


def test_ctrl_c_leaves_nothing(corpus, capsys, monkeypatch):
    def interrupt(self, key, array):
        raise KeyboardInterrupt

    monkeypatch.setattr(ArkWriter, "__setitem__", interrupt)
    assert main(["vad-compute", "data", "exp"]) == 130
    assert leftovers() == []


def test_segments_of_speech_are_written_where_asked(corpus):
    rows = [Utterance(u, u, f"{u}.wav", False, 0, 0.6, 0, 16000) for u in corpus.feats]
    write_utterances("data", rows)
    files = ["--rttm=exp/rttm", "--segments=exp/speech.jsonl.gz"]
    assert main(["vad-compute", *files, "data", "exp/vad"]) == 0
    turns = read_rttm("exp/rttm")
    for utt, vad in read_arrays("scp:data/vad.scp"):
        assert len(turns[utt]) == len([x for x in segments_of(vad) if x.label])
    assert os.path.exists("exp/speech.jsonl.gz")


@pytest.mark.k2
def test_structure_in_time_leaves_no_short_segments(corpus):
    options = ["--method=gmm-fsa", "--num-gauss=1", "--min-speech-sec=0.1"]
    assert main(["vad-compute", *options, "data", "exp/vad"]) == 0
    for _, vad in read_arrays("scp:data/vad.scp"):
        lengths = [x.stop - x.start for x in segments_of(vad)[1:-1] if x.label]
        assert min(lengths, default=10) >= 10


def test_without_k2_the_cure_is_named(corpus, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "k2", None)
    assert main(["vad-compute", "--method=gmm_fsa", "data", "exp/vad"]) == 1
    *_, error, hint = capsys.readouterr().err.splitlines()
    assert error == "asdkit vad-compute: error: k2 is not installed"
    assert "tools/setup.sh --k2" in hint
    assert leftovers() == []


def test_options_of_other_methods_are_refused(corpus, capsys):
    assert main(["vad-compute", "--change-cost=1", "data", "exp/vad"]) == 1
    assert "--change-cost: --method energy has no such" in capsys.readouterr().err
