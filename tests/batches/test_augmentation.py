import numpy as np
import pytest

from asdkit.batches.augmentation import (
    CODECS,
    Augmentation,
    Chain,
    CodecAugmentation,
    SpecAugment,
    add_noise,
    normalize_peak,
    reverberate,
)
from asdkit.simulation.channels import CHANNELS


class Room:
    def draw(self, rng):
        return np.array([0, 1, 0.5], np.float32)


class Noise:
    def draw(self, num_samples, rng):
        return rng.standard_normal(num_samples, np.float32), 10.0


def test_noise_is_added_at_the_ratio_of_energies_that_was_asked_for(rng):
    samples = rng.standard_normal(4000).astype(np.float32)
    noise = 7 * rng.standard_normal(4000).astype(np.float32)
    mixed = add_noise(samples, noise, 5.0)
    snr = np.sum(samples**2) / np.sum((mixed - samples) ** 2)
    assert 10 * np.log10(snr) == pytest.approx(5.0, abs=1e-3)
    assert mixed.dtype == np.float32


def test_reverberation_is_convolution_with_a_response_of_unit_energy(rng):
    samples = rng.standard_normal(300).astype(np.float32)
    response = rng.standard_normal(70).astype(np.float32)
    heard = reverberate(samples, response)
    expected = np.convolve(samples, response / np.linalg.norm(response))[:300]
    np.testing.assert_allclose(heard, expected, atol=1e-5)
    assert heard.dtype == np.float32


def test_silence_stays_silence():
    silence = np.zeros(100, np.float32)
    ones = np.ones(100, np.float32)
    for changed in (
        add_noise(silence, ones, 0),
        reverberate(silence, ones),
        normalize_peak(silence),
    ):
        assert not changed.any()
    assert np.array_equal(add_noise(ones, silence, 0), ones)
    assert np.array_equal(reverberate(ones, silence), ones)


def test_a_chunk_gets_a_room_or_noise_as_often_as_the_probability_says(rng):
    augment = Augmentation(Room(), Noise(), prob=0.6)
    samples = rng.standard_normal(50).astype(np.float32)
    roomy = normalize_peak(reverberate(samples, Room().draw(rng)))
    changed = [augment(samples, rng) for _ in range(2000)]
    same = np.mean([x is samples for x in changed])
    rooms = np.mean([np.array_equal(x, roomy) for x in changed])
    assert same == pytest.approx(0.4, abs=0.04)
    assert rooms == pytest.approx(0.3, abs=0.04)
    peaks = [np.abs(x).max() for x in changed if x is not samples]
    np.testing.assert_allclose(peaks, 1, atol=1e-6)


def test_a_chunk_goes_through_a_codec_as_often_as_the_probability_says(rng):
    samples = 0.1 * rng.standard_normal(1600).astype(np.float32)
    augment = CodecAugmentation(prob=0.25)
    changed = [augment(samples, rng) for _ in range(200)]
    assert np.mean([x is samples for x in changed]) == pytest.approx(0.75, abs=0.1)
    assert all(x.shape == samples.shape for x in changed)
    always = CodecAugmentation(prob=1.0)
    heard = [always(samples, rng) for _ in range(80)]
    for name in CODECS:  # each of them is drawn
        expected = CHANNELS[name](samples, 16000)
        assert any(np.array_equal(x, expected) for x in heard)


def test_a_chain_goes_on_with_what_came_out_before(rng):
    chain = Chain([lambda x, rng: x + 1, lambda x, rng: 10 * x])
    np.testing.assert_array_equal(chain(np.zeros(3), rng), 10)


def test_spec_augment_overwrites_one_band_and_one_stretch_by_the_mean(rng):
    feats = rng.standard_normal((200, 80)).astype(np.float32)
    before = feats.copy()
    mask = SpecAugment(prob=1.0)
    sizes = set()
    for _ in range(300):
        changed = mask(feats, rng) != feats
        bins, frames = changed.all(axis=0), changed.all(axis=1)
        assert np.array_equal(changed, bins | frames[:, None])
        for hit in (bins, frames):
            assert np.abs(np.diff(hit.astype(int))).sum() <= 2  # one piece
        sizes.add((int(bins.sum()), int(frames.sum())))
    assert max(b for b, _ in sizes) == 8
    assert max(t for _, t in sizes) == 10
    assert min(b for b, _ in sizes) == min(t for _, t in sizes) == 0
    assert np.array_equal(feats, before)


def test_masks_are_the_mean_of_their_bin(rng):
    feats = rng.standard_normal((50, 8)).astype(np.float32)
    masked = SpecAugment(prob=1.0, max_time_width=50, max_freq_width=0)(feats, rng)
    rows = np.flatnonzero((masked != feats).all(axis=1))
    assert len(rows)
    np.testing.assert_array_equal(masked[rows], np.tile(feats.mean(0), (len(rows), 1)))


def test_spec_augment_leaves_alone_what_the_probability_spares(rng):
    feats = rng.standard_normal((200, 80)).astype(np.float32)
    mask = SpecAugment(prob=0.25, max_freq_width=80, max_time_width=200)
    spared = [np.array_equal(mask(feats, rng), feats) for _ in range(1000)]
    assert np.mean(spared) == pytest.approx(0.75, abs=0.05)


def test_masks_wider_than_the_chunk_fit(rng):
    feats = rng.standard_normal((3, 2)).astype(np.float32)
    assert SpecAugment(prob=1.0)(feats, rng).shape == (3, 2)
