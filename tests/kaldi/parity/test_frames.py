"""Checks of features, decisions and front end: they agree, and see what is changed."""

import kaldiio
import numpy as np
import pytest

from asdkit.base.errors import DataError
from asdkit.io.ark import read_arrays
from asdkit.kaldi.parity.experiment import Experiment, NotFoundError
from asdkit.kaldi.parity.frames import (
    STEPS,
    check_front_end,
    check_mfcc,
    check_vad,
    compression_step,
)


@pytest.mark.parametrize("part", ["train", "test"])
def test_features_and_decisions_are_kaldis(few, agree, part):
    assert agree(check_mfcc(few, part)) == [True]
    assert agree(check_vad(few, part)) == [True]


def test_every_step_of_the_front_end_is_kaldis(few, agree):
    findings = list(check_front_end(few))
    assert len(findings) == len(STEPS)
    assert all(agree(findings))


def test_options_that_differ_are_seen(copied, agree):
    conf = copied / "vad.conf"
    conf.write_text("--vad-energy-threshold=7.5\n")
    assert agree(check_vad(Experiment(copied, num_utts=2), "test")) == [False]
    (copied / "mfcc.conf").write_text("--sample-frequency=16000\n--dither=1.0\n")
    with pytest.raises(NotFoundError, match="features without dither"):
        list(check_mfcc(Experiment(copied), "test"))


def test_audio_of_another_rate_or_none_is_named(copied):
    conf = copied / "mfcc.conf"
    text = conf.read_text()
    conf.write_text(f"{text}--sample-frequency=8000\n")
    with pytest.raises(DataError, match=r"expected 8000 Hz, got 16000"):
        list(check_mfcc(Experiment(copied), "test"))
    conf.write_text(text)
    (copied / "data" / "test" / "wav.scp").write_text("other wav/x.wav\n")
    with pytest.raises(DataError, match="no recording of 'spk"):
        list(check_mfcc(Experiment(copied), "test"))


def test_decisions_without_features_are_named(copied):
    path = copied / "feats" / "vad_test.ark"
    vad = dict(read_arrays(f"ark:{path}"))
    kaldiio.save_ark(str(path), {"nobody": np.zeros(3, "f4"), **vad})
    with pytest.raises(DataError, match="no features of 'nobody'"):
        list(check_vad(Experiment(copied, num_utts=2), "test"))


def test_a_step_of_the_compression_is_at_least_kaldis_error(golden, tmp_path):
    """kaldiio compresses as Kaldi does: values are at most half a step off."""
    feats = dict(read_arrays(f"ark:{golden}/feats/mfcc_test.ark"))
    path = tmp_path / "compressed.ark"
    kaldiio.save_ark(str(path), feats, compression_method=2)
    for utt, found in read_arrays(f"ark:{path}"):
        error = np.abs(found - feats[utt]).max(axis=0)
        assert (error <= 0.6 * compression_step(feats[utt])).all()
        assert (error >= 0.2 * compression_step(feats[utt])).all()
