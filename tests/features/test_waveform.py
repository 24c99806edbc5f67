import numpy as np

from asdkit.features.waveform import Waveform


def test_every_sample_is_a_frame(rng):
    recordings = [rng.standard_normal(n).astype(np.float32) for n in (5, 0, 1)]
    feats = Waveform().batch(iter(recordings))
    assert [x.shape for x in feats] == [(5, 1), (0, 1), (1, 1)]
    for samples, x in zip(recordings, feats, strict=True):
        assert x.dtype == np.float32
        np.testing.assert_array_equal(x[:, 0], samples)


def test_chunks_are_counted_in_samples():
    waveform = Waveform(sample_frequency=8000.0)
    assert (waveform.window_size, waveform.window_shift, waveform.dim) == (1, 1, 1)
    assert waveform.options == {"sample_frequency": 8000.0}
