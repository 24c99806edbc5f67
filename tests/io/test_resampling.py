"""Another sampling rate: the definition, two libraries, and what it costs."""

import subprocess
import sys
import tracemalloc
from functools import lru_cache

import numpy as np
import pytest
import torch
from lhotse.augmentation.resample import Resample

from asdkit.io.resampling import BLOCK, GROUP, resample

RATES = [
    *[(8000, 16000), (16000, 8000), (48000, 16000), (96000, 16000), (16000, 48000)],
    *[(44100, 16000), (16000, 44100), (11025, 16000), (22050, 16000), (16000, 14545)],
    *[(7, 5), (5, 7), (16000, 16001)],
]


@pytest.fixture
def noise(rng):
    return (0.1 * rng.standard_normal(30000)).astype(np.float32)


def define(x, old_rate, new_rate):
    """Every output a sum over all samples, in double precision."""
    ratio = 0.99 * min(1, new_rate / old_rate)
    num_outputs = -(-len(x) * new_rate // old_rate)
    at = np.arange(num_outputs)[:, None] * old_rate / new_rate - np.arange(len(x))
    window = np.cos(np.pi / 12 * np.clip(ratio * at, -6, 6)) ** 2
    return (ratio * np.sinc(ratio * at) * window) @ x.astype(float)


@pytest.mark.parametrize(("old_rate", "new_rate"), RATES)
def test_outputs_are_what_the_definition_says(noise, old_rate, new_rate):
    """To half a step of 16 bits, though phases are float32."""
    samples = noise[: int(700 * min(1, old_rate / new_rate))]
    found = resample(samples, old_rate, new_rate)
    expected = define(samples, old_rate, new_rate)
    assert found.dtype == np.float32
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=2**-16)


lhotse_s = lru_cache(Resample)


@pytest.mark.parametrize(("old_rate", "new_rate"), RATES[:-1])
@pytest.mark.parametrize("num_samples", [1, 2, 399, 30000])
def test_outputs_are_those_of_lhotse(noise, old_rate, new_rate, num_samples):
    """A recording is the same whichever way it comes: `asdkit.batches.cut_arrays`."""
    samples = noise[:num_samples]
    expected = lhotse_s(old_rate, new_rate)(torch.from_numpy(samples)).numpy()
    found = resample(samples, old_rate, new_rate)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-7)


@pytest.mark.parametrize(("old_rate", "new_rate"), RATES[:-1])
def test_outputs_are_those_of_torchaudio(noise, old_rate, new_rate, torchaudio):
    change = torchaudio.transforms.Resample(old_rate, new_rate)
    expected = change(torch.from_numpy(noise)).numpy()
    found = resample(noise, old_rate, new_rate)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-7)


def test_where_a_block_ends_nothing_shows(rng):
    """A recording of several blocks, and a part that lies across the first end."""
    samples = rng.standard_normal(3 * 3 * GROUP * BLOCK).astype(np.float32)
    whole = resample(samples, 48000, 16000)
    end = GROUP * BLOCK  # of the first block, in outputs
    part = resample(samples[3 * (end - 100) : 3 * (end + 100)], 48000, 16000)
    np.testing.assert_allclose(part[10:-10], whole[end - 90 : end + 90], atol=1e-6)


def test_nothing_stays_nothing_and_double_precision_becomes_single(noise):
    assert resample(noise[:0], 8000, 16000).shape == (0,)
    found = resample(noise.astype(float), 8000, 16000)
    np.testing.assert_array_equal(found, resample(noise, 8000, 16000))


def test_more_samples_than_float32_can_count_keep_their_number():
    """torchaudio takes the length in float32 and returns 20009000."""
    assert resample(np.zeros(5001, np.float32), 1, 4001).shape == (20009001,)


def test_a_long_recording_is_copied_once():
    samples = np.zeros(48000 * 600, np.float32)
    tracemalloc.start()
    resample(samples, 48000, 16000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.5 * samples.nbytes  # the copy, and a third of it that is returned


def test_reading_at_another_rate_needs_no_torch(tmp_path):
    code = (
        "import sys, numpy, soundfile, asdkit.io.audio as audio\n"
        "soundfile.write('a.wav', numpy.zeros(800), 8000)\n"
        "assert len(audio.read_audio('a.wav', 16000)[0]) == 1600\n"
        "assert not {'torch', 'torchaudio', 'scipy', 'lhotse'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
