"""Layers of a graph against the features they stand for, alone and in a batch."""

import numpy as np
import pytest
import torch

from asdkit.base.errors import AsdkitError
from asdkit.features.constant_q import Cqcc
from asdkit.features.linear import Lfcc
from asdkit.features.mel import Fbank, Mfcc
from asdkit.features.waveform import Waveform
from asdkit.inference.graph_front_end import GraphLogMel, frames_layer
from asdkit.nnet.log_mel import LogMel

FEATURES = [
    Fbank(dither=0.0),
    Fbank(dither=0.0, num_mel_bins=80, snip_edges=False, high_freq=-400),
    Fbank(dither=0.0, use_energy=True, htk_compat=True, remove_dc_offset=False),
    Fbank(dither=0.0, use_power=False, use_log_fbank=False, window_type="hamming"),
    Fbank(dither=0.0, sample_frequency=8000, frame_length=30, frame_shift=7.5),
    Mfcc(dither=0.0),
    Mfcc(dither=0.0, use_energy=False, htk_compat=True, snip_edges=False),
    Lfcc(),
    Lfcc(frame_length=30, frame_shift=15, fft_size=1024, num_filters=70, num_ceps=19),
    Waveform(),
]


def padded(parts):
    """Put arrays of unequal lengths into one tensor, with noise behind each."""
    lengths = torch.tensor([len(x) for x in parts])
    shape = (len(parts), int(lengths.max()), *parts[0].shape[1:])
    batch = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    for row, part in zip(batch, parts, strict=True):
        row[: len(part)] = torch.from_numpy(part)
    return batch, lengths


@pytest.mark.parametrize("features", FEATURES, ids=lambda x: f"{type(x).__name__}")
def test_a_layer_gives_what_the_features_are(rng, features):
    layer = frames_layer(features, 400)
    lengths = [layer.min_samples, layer.samples_for(3), 4000, 7777, 16001]
    signals = [rng.normal(0.01, 0.1, n).astype(np.float32) for n in lengths]
    feats, num_frames = layer(*padded(signals))
    expected = [features(x) for x in signals]
    assert num_frames.tolist() == [len(x) for x in expected]
    for row, wanted in zip(feats, expected, strict=True):
        np.testing.assert_allclose(row[: len(wanted)], wanted, rtol=1e-4, atol=2e-3)


@pytest.mark.parametrize("features", FEATURES, ids=lambda x: f"{type(x).__name__}")
@pytest.mark.parametrize("num_frames", [1, 2, 15])
def test_so_many_samples_give_so_many_frames_and_one_fewer_does_not(
    features, num_frames
):
    layer = frames_layer(features, 1)
    least = layer.samples_for(num_frames)
    assert len(features(np.zeros(least, np.float32))) >= num_frames
    if least > layer.min_samples:
        assert len(features(np.zeros(least - 1, np.float32))) < num_frames


def test_silence_and_a_constant_offset_have_the_features_floor():
    features = Fbank(dither=0.0)
    layer = frames_layer(features, 1)
    for level in (0.0, 0.25):  # exact in float32, and so is its mean
        x = np.full(3000, level, np.float32)
        feats, _ = layer(*padded([x]))
        np.testing.assert_allclose(feats[0], features(x), atol=1e-3)


def test_what_has_no_layer_is_refused():
    with pytest.raises(AsdkitError, match="features cqcc have no graph: fbank, mfcc"):
        frames_layer(Cqcc(), 1)
    with pytest.raises(AsdkitError, match="--raw-energy false has no graph"):
        frames_layer(Fbank(use_energy=True, raw_energy=False), 1)
    with pytest.raises(AsdkitError, match="--use-energy true of lfcc"):
        frames_layer(Lfcc(use_energy=True), 1)


@pytest.mark.parametrize("alpha", [0.0, 0.97])
def test_log_mels_need_no_fft(rng, alpha):
    layer = LogMel(40, alpha)
    x, lengths = padded([rng.normal(0, 0.1, n).astype("f") for n in (400, 9000)])
    expected, frames = layer(x, lengths)
    found, num_frames = GraphLogMel(layer)(x, lengths)
    assert torch.equal(frames, num_frames)
    np.testing.assert_allclose(found, expected, atol=1e-4)
