import json
from pathlib import Path

import numpy as np
import pytest

from asdkit.base.errors import DataError
from asdkit.batches.feature_config import FeatureConfig, completed
from asdkit.batches.frame_sources import StoredFrames
from asdkit.features.mel import Mfcc


def test_what_a_file_says_is_read_back():
    config = FeatureConfig("audio", "fbank", {"num_mel_bins": 10}, delta_order=1)
    assert FeatureConfig.read(config.description) == config


def test_the_key_of_older_files_is_understood():
    old = FeatureConfig("stored", "mfcc").description
    old["lane"] = old.pop("source")
    assert FeatureConfig.read(old) == FeatureConfig("stored", "mfcc")


def test_files_from_before_say_nothing_of_the_vad():
    old = FeatureConfig("stored", "mfcc", voiced=True).description
    del old["vad"]
    assert FeatureConfig.read(old).vad is None


def test_how_speech_was_found_is_noted_where_only_speech_is_used(speech):
    vad = {"method": "energy", "options": {"vad_energy_threshold": 5.5}}
    Path("ark/vad.json").write_text(json.dumps(vad))
    of_network = FeatureConfig.stored_in(speech, voiced=True, subtract_mean=True)
    assert of_network.vad == FeatureConfig.read_by_gmms(speech).vad == vad
    assert FeatureConfig.stored_in(speech, voiced=False, subtract_mean=True).vad is None
    (speech / "vad.scp").unlink()
    of_all_frames = FeatureConfig.read_by_gmms(speech)
    assert (of_all_frames.voiced, of_all_frames.vad) == (False, None)


def test_derivatives_of_an_array_are_those_of_a_source(speech):
    config = FeatureConfig(delta_order=2)
    frames = config.open_frames(config.read_cuts(speech))
    feats = StoredFrames(config.read_cuts(speech)).whole(3)
    np.testing.assert_array_equal(config.prepare(feats, None), frames.whole(3))


def test_options_that_did_not_exist_then_had_their_defaults(speech):
    """Features and models from before --sample-scale are those of 32768."""
    options = FeatureConfig.computed_by(Mfcc(), subtract_mean=True).options
    assert options["sample_scale"] == 32768
    options = {x: value for x, value in options.items() if x != "sample_scale"}
    info = {"type": "mfcc", "dim": 5, "options": options}
    Path("ark/feats.json").write_text(json.dumps(info))
    config = FeatureConfig.stored_in(speech, voiced=False, subtract_mean=True)
    assert config.type == "mfcc"
    config.check_stored(speech)
    config.options["sample_scale"] = 1.0
    with pytest.raises(DataError, match=r"--sample-scale=1\.0, these are with"):
        config.check_stored(speech)
    assert completed(None, {"a": 1}) == completed("my.module:X", {"a": 1}) == {"a": 1}
