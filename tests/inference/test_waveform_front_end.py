"""From a recording to features, and what to do where a model does not say how."""

import json

import numpy as np
import pytest

from asdkit.base.errors import AsdkitError, DataError
from asdkit.batches.feature_config import FeatureConfig
from asdkit.data.feats_info import VadInfo
from asdkit.features.linear import Lfcc
from asdkit.features.mel import Fbank, Mfcc
from asdkit.inference.waveform_front_end import WaveformFrontEnd, in_batches
from asdkit.vad.energy import energy_vad

SILENT = FeatureConfig(subtract_mean=False)  # says nothing of its features
ENERGY = VadInfo("energy", {"vad_energy_threshold": 5.5})._asdict()
MFCC = FeatureConfig("stored", "mfcc", Mfcc().options, True, False, 0, ENERGY)


@pytest.fixture
def audio(rng):
    samples = 0.1 * rng.standard_normal(16000)
    samples[4000:8000] *= 1e-3
    return samples.astype(np.float32), 16000


def prepare(front_end, audio):
    (item,) = front_end.prepare([audio], front_end.keep_voiced)
    return item.frames


def test_frames_are_those_that_features_and_vad_give(audio):
    feats = Mfcc()(audio[0])
    voiced = energy_vad(feats[:, 0], vad_energy_threshold=5.5)
    assert 0 < voiced.sum() < len(voiced)
    found = prepare(WaveformFrontEnd("x.npz", MFCC), audio)
    np.testing.assert_array_equal(found, feats[voiced])
    everything = WaveformFrontEnd("x.npz", MFCC, vad=False)
    np.testing.assert_array_equal(prepare(everything, audio), feats)


def test_features_can_be_named_in_three_ways(tmp_path):
    options = {"num_ceps": 8, "frame_length": 20.0}
    extractor = Mfcc(**options)
    conf, info = tmp_path / "mfcc.conf", tmp_path / "feats.json"
    conf.write_text("--num-ceps=8\n--frame-length=20  # ms\n--allow-downsample=true\n")
    said = {"type": "mfcc", "dim": 8, "options": {**extractor.options, "seed": 3}}
    info.write_text(json.dumps(said))
    for features in (extractor, conf, str(info)):
        found = WaveformFrontEnd("x.npz", SILENT, features).config
        assert (found.type, found.options) == ("mfcc", extractor.options)
    conf.write_text("--type=fbank\n--num-mel-bins=40\n")
    assert WaveformFrontEnd("x", SILENT, conf).extractor == Fbank(num_mel_bins=40)


def test_kaldis_conf_of_the_vad_works_unchanged(golden, tmp_path):
    from asdkit.base.conf import read_conf

    front_end = WaveformFrontEnd("x", SILENT, Mfcc(), golden / "vad.conf")
    options = front_end.config.vad["options"]
    lines = [x.option.split("=") for x in read_conf(golden / "vad.conf")]
    assert options == {k[2:].replace("-", "_"): float(v) for k, v in lines}
    info = tmp_path / "vad.json"
    info.write_text(json.dumps({"method": "energy", "options": options}))
    assert WaveformFrontEnd("x", SILENT, Mfcc(), info).config == front_end.config
    assert WaveformFrontEnd("x", SILENT, Mfcc(), options).config == front_end.config


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("--num-cepps=8", "1: unknown option --num-cepps; did you mean --num-ceps?"),
        ("--num-ceps=many", "1: --num-ceps: expected an integer, got 'many'"),
        ("num-ceps 8", "expected --name=value, got 'num-ceps 8'"),
    ],
)
def test_a_wrong_conf_names_file_and_line(tmp_path, text, message):
    (tmp_path / "mfcc.conf").write_text(f"{text}\n")
    with pytest.raises(DataError, match=r"mfcc.conf:1: ") as caught:
        WaveformFrontEnd("x.npz", SILENT, tmp_path / "mfcc.conf")
    assert message in str(caught.value)


SILERO = {"method": "silero", "options": {}}
UNSAID = FeatureConfig("stored", "mfcc", Mfcc().options, True, False, 0)
OTHER = FeatureConfig("stored", "mfcc", Mfcc().options, True, False, 0, SILERO)
LFCC = FeatureConfig("stored", "lfcc", Lfcc().options, True, False, 0, ENERGY)


@pytest.mark.parametrize(
    ("config", "arguments", "message", "cure"),
    [
        (SILENT, {}, "it does not say how its features were computed", "features=: "),
        (UNSAID, {}, "voiced frames, and does not say how it found them", "vad=: "),
        (OTHER, {}, "its voice activity detection, silero, needs a data", "vad=: "),
        (LFCC, {}, "found by energy, which its lfcc lacks", "vad=: "),
        (MFCC, {"vad": True}, "vad=True does not say which", "vad=: "),
        (MFCC, {"vad": {"treshold": 1}}, "unexpected keyword argument", None),
        (MFCC, {"features": Fbank()}, "trained on mfcc, features= says fbank", "leave"),
        (MFCC, {"features": Mfcc(num_ceps=9)}, "says mfcc; num_ceps differ", "leave"),
        (MFCC, {"features": "none.json"}, "none.json: no such file", "feats-compute"),
        (MFCC, {"features": "none.conf"}, "none.conf: cannot read it", None),
    ],
)
def test_what_is_missing_or_contradicts_is_one_clear_error(
    config, arguments, message, cure
):
    with pytest.raises(AsdkitError) as caught:
        WaveformFrontEnd("x.npz", config, **arguments)
    assert message in str(caught.value)
    assert (cure is None) or cure in caught.value.hint


def test_features_said_twice_alike_are_no_contradiction():
    assert WaveformFrontEnd("x.npz", MFCC, Mfcc()).config == MFCC


def test_batches_hold_so_many_frames_and_keep_the_order(audio):
    front_end = WaveformFrontEnd("x.npz", MFCC, vad=False)
    items = list(front_end.prepare([audio] * 5, front_end.keep_voiced))
    sizes = [len(batch) for batch in in_batches(items, 200)]
    assert sizes == [2, 2, 1]
    assert [len(batch) for batch in in_batches(items, 1)] == [1] * 5
    assert [x for batch in in_batches(items, 200) for x in batch] == items
