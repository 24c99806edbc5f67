import numpy as np

from asdkit.batches.gmm_frames import FrameBatch
from asdkit.batches.pooled_frames import pool_frames


def test_means_and_deviations_are_of_each_utterance_alone(rng):
    parts = [rng.normal(3, 2, size=(n, 4)).astype(np.float32) for n in (5, 1, 8)]
    batch = FrameBatch(["a", "b", "c"], np.concatenate(parts), np.array([0, 5, 6, 14]))
    found = dict(pool_frames([batch, FrameBatch(["d"], parts[0], np.array([0, 5]))]))
    for utt, part in zip("abcd", [*parts, parts[0]], strict=True):
        np.testing.assert_allclose(found[utt][:4], part.mean(axis=0), rtol=1e-6)
        np.testing.assert_allclose(found[utt][4:], part.std(axis=0), rtol=1e-5)
    assert not found["b"][4:].any()
