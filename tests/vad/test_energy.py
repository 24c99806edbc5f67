import numpy as np
import pytest

from asdkit.io.ark import read_arrays
from asdkit.vad.energy import energy_vad

# The options of the golden vad.conf.
OPTIONS = {
    "vad_energy_threshold": 5.5,
    "vad_energy_mean_scale": 0.5,
    "vad_frames_context": 2,
    "vad_proportion_threshold": 0.6,
}


def define(log_energy, threshold, mean_scale, context, proportion):
    """Kaldi's ComputeVadEnergy, frame by frame."""
    threshold += mean_scale * np.mean(log_energy)
    decisions = []
    for t in range(len(log_energy)):
        around = log_energy[max(0, t - context) : t + context + 1]
        num_loud = np.sum(around > threshold)
        decisions.append(num_loud >= len(around) * np.float32(proportion))
    return np.array(decisions)


@pytest.mark.parametrize("part", ["train", "test"])
def test_decisions_are_kaldis(golden, part):
    mfcc = read_arrays(f"ark:{golden}/feats/mfcc_{part}.ark")
    vad = dict(read_arrays(f"ark:{golden}/feats/vad_{part}.ark"))
    num_voiced = 0
    for utt, feats in mfcc:
        voiced = energy_vad(feats[:, 0], **OPTIONS)
        np.testing.assert_array_equal(voiced, vad.pop(utt).astype(bool))
        num_voiced += voiced.sum()
    assert not vad
    assert num_voiced > 0


@pytest.mark.parametrize("context", [0, 1, 4, 30])
@pytest.mark.parametrize("proportion", [0.12, 0.5, 0.6, 0.9])
def test_decisions_are_what_the_definition_says(rng, context, proportion):
    log_energy = (10 + 5 * rng.standard_normal(50)).astype(np.float32)
    voiced = energy_vad(log_energy, 4.0, 0.5, context, proportion)
    expected = define(log_energy, 4.0, 0.5, context, proportion)
    np.testing.assert_array_equal(voiced, expected)
    assert voiced.dtype == bool


def test_three_of_five_is_enough_for_six_tenths():
    """0.6 * 5 is 3 in float32, as in Kaldi; 5 * float64(float32(0.6)) is more."""
    log_energy = np.array([20, 20, 20, 0, 0], dtype=np.float32)
    voiced = energy_vad(log_energy, 5.0, 0.0, 2, 0.6)
    assert voiced[2]


def test_a_frame_on_the_threshold_is_no_speech():
    log_energy = np.array([5.0, 5.1], dtype=np.float32)
    np.testing.assert_array_equal(energy_vad(log_energy, 5.0, 0.0), [False, True])


@pytest.mark.parametrize("level", [-15.9, 6.0])
def test_silence_holds_no_speech(level):
    """Digital silence, without and with dither."""
    assert not energy_vad(np.full(100, level, np.float32), 5.5).any()


def test_no_frames_need_no_decisions():
    assert energy_vad(np.zeros(0, np.float32)).shape == (0,)


@pytest.mark.parametrize("proportion", [0.0, 1.0, 1.5])
def test_an_impossible_proportion_is_refused(proportion):
    with pytest.raises(ValueError, match=r"is not inside \(0, 1\)"):
        energy_vad(np.zeros(3), vad_proportion_threshold=proportion)


def test_a_matrix_is_refused():
    with pytest.raises(ValueError, match=r"expected log energies \(T,\), got shape"):
        energy_vad(np.zeros((3, 2)))
