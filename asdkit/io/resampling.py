"""Resampling by windowed-sinc interpolation.

An output sample is a weighted sum of the samples around it, and its weights come back
every ``new`` samples, where old / new is the ratio of the rates in lowest terms.  So
GROUP neighbors of all periods are one matrix product: of the few samples that they see
with their weights.  numpy alone does it, several times faster than a convolution that
takes the zeros along (tools/bench/features.py).

Source: J. O. Smith, "Digital audio resampling", ccrma.stanford.edu/~jos/resample, with
the window, its width and the rounding of torchaudio's Resample (sinc_interp_hann) and
of lhotse's: the same numbers, whichever of the three resamples a recording.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

ZERO_CROSSINGS = 6  # of the sinc, on each side
ROLLOFF = 0.99  # of the lower Nyquist frequency
GROUP = 32  # outputs that share a matrix product
BLOCK = 512  # rows of it: their samples stay in a core's cache


class _Group(NamedTuple):
    """Weights of some outputs of a period.

    Attributes:
        outputs: Change the sampling rate.
        first: start of the samples they depend on, from the start of the period.
        weights: (samples, outputs) float32.
    """

    outputs: slice
    first: int
    weights: np.ndarray


class _Filters(NamedTuple):
    """All of a period, which is as many samples and outputs as `_Group`s say."""

    num_samples: int
    num_outputs: int
    groups: list[_Group]


def resample(samples: np.ndarray, old_rate: int, new_rate: int) -> np.ndarray:
    """Change the sampling rate.

    Args:
        samples: (L,).
        old_rate: in Hz.
        new_rate: in Hz.

    Returns:
        (ceil(L new_rate / old_rate),) float32; the same array if the rates are equal.
    """
    if old_rate == new_rate:
        return samples
    num_samples, num_outputs, groups = _make_filters(old_rate, new_rate)
    length = -(-len(samples) * new_rate // old_rate)
    num_periods = -(-length // num_outputs)
    before = -min(group.first for group in groups)
    after = max(group.first + len(group.weights) for group in groups)
    padded = np.zeros(before + num_periods * num_samples + after, dtype=np.float32)
    padded[before : before + len(samples)] = samples
    output = np.empty((num_periods, num_outputs), dtype=np.float32)
    for outputs, first, weights in groups:
        seen = sliding_window_view(padded[before + first :], len(weights))
        seen = seen[::num_samples][:num_periods]  # (periods, samples)
        for start in range(0, num_periods, BLOCK):
            block = np.ascontiguousarray(seen[start : start + BLOCK])
            output[start : start + BLOCK, outputs] = block @ weights
    return output.reshape(-1)[:length]


@lru_cache
def _make_filters(old_rate: int, new_rate: int) -> _Filters:
    """Keep the weights of a pair of rates."""
    common = math.gcd(old_rate, new_rate)
    old, new = old_rate // common, new_rate // common
    cutoff = ROLLOFF * min(old, new)  # like `time`, per `old` samples and `new` outputs
    reach = math.ceil(ZERO_CROSSINGS * old / cutoff)  # samples
    times = -(-GROUP // new)  # so many of the shortest period fill a group
    groups = []
    for start in range(0, times * new, GROUP):
        output = np.arange(start, min(start + GROUP, times * new))
        first, last = output[[0, -1]] * old / new
        sample = np.arange(math.floor(first) - reach, math.ceil(last) + reach + 1)
        period, phase = divmod(output, new)
        # The phases of torchaudio and lhotse are float32.
        phases = phase.astype(np.float32) / np.float32(new)
        time = (sample[:, None] - period * old) / old - phases.astype(np.float64)
        crossings = np.clip(cutoff * time, -ZERO_CROSSINGS, ZERO_CROSSINGS)
        window = np.cos(np.pi / 2 / ZERO_CROSSINGS * crossings) ** 2
        weights = cutoff / old * window * np.sinc(crossings)  # (samples, outputs)
        outputs = slice(start, start + len(output))
        groups.append(_Group(outputs, int(sample[0]), weights.astype(np.float32)))
    return _Filters(times * old, times * new, groups)
