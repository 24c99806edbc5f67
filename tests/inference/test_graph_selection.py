"""Layers that choose frames against the functions they stand for, in a batch."""

import numpy as np
import pytest
import torch

from asdkit.batches.crops import crop_frames
from asdkit.batches.frame_sources import DELTA_WINDOW
from asdkit.features.deltas import add_deltas
from asdkit.inference.graph_selection import (
    Cropped,
    Deltas,
    EnergyVad,
    subtract_mean,
)
from asdkit.vad.energy import energy_vad


def padded(parts):
    """Put arrays of unequal lengths into one tensor, with noise behind each."""
    lengths = torch.tensor([len(x) for x in parts])
    shape = (len(parts), int(lengths.max()), *parts[0].shape[1:])
    batch = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    for row, part in zip(batch, parts, strict=True):
        row[: len(part)] = torch.from_numpy(part)
    return batch, lengths


@pytest.mark.parametrize("context", [0, 2])
def test_voiced_frames_come_first_and_in_order(rng, context):
    options = {"vad_energy_threshold": 0.1, "vad_frames_context": context}
    parts = [rng.normal(size=(n, 3)).astype(np.float32) for n in (5, 40, 23)]
    kept, num = EnergyVad(options)(*padded(parts))
    for row, count, part in zip(kept, num, parts, strict=True):
        wanted = part[energy_vad(part[:, 0], **options)]
        assert count == len(wanted)
        np.testing.assert_array_equal(row[:count], wanted)


@pytest.mark.parametrize("order", [1, 2])
def test_deltas_stand_still_at_both_ends(rng, order):
    parts = [rng.normal(size=(n, 4)).astype(np.float32) for n in (1, 9, 30)]
    found = Deltas(order)(*padded(parts))
    for row, part in zip(found, parts, strict=True):
        wanted = add_deltas(part, DELTA_WINDOW, order)
        np.testing.assert_allclose(row[: len(part)], wanted, atol=1e-5)


@pytest.mark.parametrize("crop", ["whole", "first", "center"])
def test_short_ones_are_repeated_and_long_ones_cropped(rng, crop):
    parts = [rng.normal(size=(n, 2)).astype(np.float32) for n in (3, 10, 11, 40)]
    found, lengths = Cropped(crop, 11, 5)(*padded(parts))
    for row, length, part in zip(found, lengths, parts, strict=True):
        wanted = crop_frames(part, crop, 11, 5)
        assert length == len(wanted)
        np.testing.assert_array_equal(row[:length], wanted)


def test_the_mean_is_that_of_the_real_frames(rng):
    parts = [rng.normal(size=(n, 4)).astype(np.float32) for n in (2, 9)]
    found = subtract_mean(*padded(parts))
    for row, part in zip(found, parts, strict=True):
        np.testing.assert_allclose(row[: len(part)], part - part.mean(0), atol=1e-6)
