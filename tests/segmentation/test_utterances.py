"""Long recordings are cut where it is quiet, and nothing that was said is lost."""

import numpy as np
import pytest

from asdkit.segmentation.utterances import cut_at_pauses


def draw(rng, num_runs=60):
    """Speech and pauses in turn, of random lengths."""
    runs = [np.full(rng.integers(1, 30), k % 2, bool) for k in range(num_runs)]
    return np.concatenate(runs)


@pytest.mark.parametrize("longest", [2, 9, 50, 10_000])
def test_all_speech_is_in_spans_that_are_short_enough(rng, longest):
    for _ in range(20):
        speech = draw(rng)
        spans = cut_at_pauses(speech, longest)
        inside = np.zeros_like(speech)
        for span in spans:
            assert 0 < span.stop - span.start <= longest
            assert speech[span.start]
            assert speech[span.stop - 1]
            assert not inside[span.start : span.stop].any()
            inside[span.start : span.stop] = True
        assert not (speech & ~inside).any()


def test_the_longest_pause_of_the_second_half_is_chosen():
    speech = np.ones(100, bool)
    speech[[20, 21, 22, 23, 24]] = False  # the longest, but in the first half
    speech[[60, 61]] = False
    speech[70] = False
    assert cut_at_pauses(speech, 80) == [(0, 60), (62, 100)]


def test_speech_without_a_pause_is_cut_anyway():
    spans = cut_at_pauses(np.ones(25, bool), 10)
    assert spans == [(0, 10), (10, 20), (20, 25)]


def test_too_little_speech_is_left_out():
    speech = np.array([1, 0, 0, 0, 0, 0, 1, 1, 1], bool)
    assert cut_at_pauses(speech, 4, least=2) == [(6, 9)]
    assert cut_at_pauses(np.zeros(50, bool), 10) == []
    assert cut_at_pauses(np.zeros(0, bool), 10) == []
    with pytest.raises(ValueError, match="at least 2 frames"):
        cut_at_pauses(speech, 1)
