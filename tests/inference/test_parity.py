"""The gate's arithmetic: what is equal, and what is not."""

import numpy as np
import pytest
import soundfile

from asdkit.base.errors import DataError
from asdkit.inference.parity import (
    MAX_DIFFERENCE,
    MIN_COSINE,
    Parity,
    cut_lengths,
    read_check_audio,
    synthesize_check_audio,
)


@pytest.mark.parametrize(
    ("cosine", "difference", "holds"),
    [(MIN_COSINE, MAX_DIFFERENCE, True), (0.9998, 0, False), (1, 0.0011, False)],
)
def test_both_limits_count(cosine, difference, holds):
    assert Parity(5, 0, cosine, difference).holds == holds


def test_recordings_reach_from_the_shortest_to_a_minute():
    speech = np.arange(16000, dtype=np.float32)
    cuts = [len(x) for x in cut_lengths(speech, 5000, 16000)]
    assert cuts[0] == 5000
    assert cuts == sorted(cuts)
    assert cuts[-1] == 60 * 16000


def test_voices_are_the_same_every_time():
    first, second = synthesize_check_audio(8000), synthesize_check_audio(8000)
    np.testing.assert_array_equal(first, second)
    assert 0.01 < first.std() < 1


def test_a_directory_without_sound_is_an_error(tmp_path, rng):
    with pytest.raises(DataError, match=r"expected \.flac or \.wav files, got none"):
        read_check_audio(tmp_path, 16000)
    for name in ("a", "b"):
        soundfile.write(tmp_path / f"{name}.wav", rng.normal(0, 0.1, 800), 8000)
    assert len(read_check_audio(tmp_path, 16000)) == 3200
