"""What counts as a recording, and what is refused before a model sees it."""

import logging

import numpy as np
import pytest
import soundfile
import torch

from asdkit.base.errors import DataError
from asdkit.data.cuts import read_cuts
from asdkit.inference.recordings import read_recording
from asdkit.io.audio import read_audio
from asdkit.io.resampling import resample


@pytest.fixture
def noise(rng):
    return (0.1 * rng.standard_normal(8000)).astype(np.float32)


def test_a_file_is_read_as_the_programs_read_it(tmp_path, noise):
    path = tmp_path / "ann-01.wav"
    soundfile.write(path, noise, 8000)
    recording = read_recording(path, 16000)
    np.testing.assert_array_equal(recording.samples, read_audio(str(path), 16000)[0])
    assert (recording.name, recording.utt) == (str(path), "ann-01")
    np.testing.assert_array_equal(
        read_recording(str(path), 16000).samples, recording.samples
    )


def test_another_rate_is_resampled_and_told(noise, caplog):
    caplog.set_level(logging.INFO)
    up = read_recording((noise, 8000), 16000)
    np.testing.assert_array_equal(up.samples, resample(noise, 8000, 16000))
    assert "audio: resampled from 8000 to 16000 Hz, with nothing above" in (caplog.text)
    assert caplog.records[-1].levelname == "WARNING"
    down = read_recording((noise, 48000), 16000)
    np.testing.assert_array_equal(down.samples, resample(noise, 48000, 16000))
    assert caplog.records[-1].levelname == "INFO"
    before = len(caplog.records)
    read_recording((noise, 16000), 16000)
    assert len(caplog.records) == before


def test_samples_may_be_a_tensor(noise):
    found = read_recording((torch.from_numpy(noise), 16000), 16000)
    np.testing.assert_array_equal(found.samples, noise)


@pytest.mark.parametrize(
    ("audio", "message"),
    [
        (np.zeros(16000, np.float32), r"got ndarray of shape \(16000,\)"),
        (None, "expected a path, .* got NoneType"),
        (["a.wav", "b.wav"], "expected a path, .* got list"),
        ((np.zeros((16000, 2)), 16000), r"one channel, got shape \(16000, 2\)"),
        ((np.zeros(16000, np.int16), 16000), "floating-point samples .* got int16"),
        ((np.zeros(0), 16000), "expected samples, got none"),
        ((np.array([0.1, np.nan]), 16000), "holds NaN or infinite samples"),
        ((np.array([0.1, -np.inf]), 16000), "holds NaN or infinite samples"),
        ((np.full(100, 3000.0), 16000), r"samples in \[-1, 1\), got some as large"),
        ((np.zeros(100), 16), "expected a sampling rate in Hz, got 16"),
        ((np.zeros(100), float("nan")), "expected a sampling rate in Hz, got nan"),
        ((np.zeros(100), "16k"), "expected a sampling rate in Hz, got '16k'"),
        ((np.zeros(100), 16000.5), "expected a sampling rate in Hz, got 16000.5"),
        ("none.wav", "none.wav: no such file"),
        ("cat x.wav |", "no such file"),
        ("empty.wav", "empty.wav: expected audio, got an empty file"),
        ("text.wav", "text.wav: cannot read it"),
        ("stereo.wav", "stereo.wav: expected one channel, got 2"),
        ("nan.wav", "nan.wav: holds NaN or infinite samples"),
        ("loud.wav", r"loud.wav: expected samples in \[-1, 1\), got some as large"),
        (".", "cannot read it"),
    ],
)
def test_what_is_no_sound_recording_is_one_clear_error(
    tmp_path, monkeypatch, noise, audio, message
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.wav").touch()
    (tmp_path / "text.wav").write_text("this is no sound\n" * 100)
    soundfile.write("stereo.wav", np.stack([noise, noise], axis=1), 16000)
    soundfile.write("nan.wav", np.append(noise, np.nan), 16000, subtype="FLOAT")
    soundfile.write("loud.wav", 32768 * noise, 16000, subtype="FLOAT")
    with pytest.raises(DataError, match=message):
        read_recording(audio, 16000)


def test_the_cure_of_a_stereo_file_works(tmp_path, noise):
    path = tmp_path / "stereo.wav"
    soundfile.write(path, np.stack([noise, 0 * noise], axis=1), 16000)
    with pytest.raises(DataError) as caught:
        read_recording(path, 16000)
    assert "read_audio(path, channel=0) returns (samples, rate)" in caught.value.hint
    recording = read_recording(read_audio(str(path), channel=0), 16000)
    np.testing.assert_allclose(recording.samples, noise, atol=1e-4)


def test_a_cut_is_its_part_of_the_recording(speech):
    cut = next(iter(read_cuts(speech, features=False)))
    part = cut.truncate(offset=0.1, duration=0.2, preserve_id=True)
    whole = read_recording(cut.recording.sources[0].source, 16000).samples
    recording = read_recording(part, 16000)
    np.testing.assert_array_equal(recording.samples, whole[1600:4800])
    assert recording.utt == cut.id
    assert len(read_recording(cut, 8000).samples) == len(whole) / 2


def test_a_cut_that_is_a_command_is_never_run(speech, tmp_path):
    cut = next(iter(read_cuts(speech, features=False)))
    (source,) = cut.recording.sources
    source.type, source.source = "command", f"touch {tmp_path}/ran"
    with pytest.raises(DataError, match="its recording is a command, which is not run"):
        read_recording(cut, 16000)
    assert not (tmp_path / "ran").exists()


def test_a_mixture_of_cuts_is_refused(speech):
    first, second, *_ = read_cuts(speech, features=False)
    with pytest.raises(DataError, match=r"expected a MonoCut .* got MixedCut"):
        read_recording(first.mix(second), 16000)
