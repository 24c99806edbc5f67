import numpy as np
import pytest

from asdkit.features.frontend import FrontEnd
from asdkit.io.ark import read_arrays


def test_the_chain_agrees_with_kaldi(golden):
    mfcc = dict(read_arrays(f"ark:{golden}/feats/mfcc_test.ark"))
    vad = dict(read_arrays(f"ark:{golden}/feats/vad_test.ark"))
    front_end = FrontEnd(delta_window=2)
    found = 0
    for utt, kaldi in read_arrays(f"ark:{golden}/feats/voiced_head3.ark"):
        frames = front_end(mfcc[utt], vad[utt] > 0)
        assert frames.shape == kaldi.shape
        np.testing.assert_allclose(frames, kaldi, atol=1e-4)
        found += 1
    assert found == 3


def test_voicing_is_applied_last(rng):
    feats = rng.standard_normal((50, 2)).astype(np.float32)
    voiced = rng.random(50) > 0.5
    frames = FrontEnd()(feats, voiced)
    assert frames.shape == (voiced.sum(), 6)
    np.testing.assert_array_equal(frames, FrontEnd()(feats)[voiced])


def test_everything_can_be_turned_off(rng):
    feats = rng.standard_normal((50, 2)).astype(np.float32)
    front_end = FrontEnd(delta_order=0, cmn_window=0)
    np.testing.assert_array_equal(front_end(feats), feats)


def test_no_voiced_frame_gives_no_frame(rng):
    feats = rng.standard_normal((50, 2)).astype(np.float32)
    assert FrontEnd()(feats, np.zeros(50, bool)).shape == (0, 6)


def test_decisions_for_another_utterance_are_refused(rng):
    feats = rng.standard_normal((50, 2)).astype(np.float32)
    with pytest.raises(ValueError, match="50 frames but 49 decisions"):
        FrontEnd()(feats, np.ones(49, bool))


def test_options_rebuild_it():
    front_end = FrontEnd(cmn_window=0)
    assert FrontEnd(**front_end.options) == front_end
