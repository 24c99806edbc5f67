"""Test recordings made shorter or noisier, for the rows of a threshold card.

A bundle decides about them as about any recording, and may refuse one that has too
little speech: then it neither accepts nor rejects.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from asdkit.base.errors import DataError
from asdkit.data.cuts import read_cuts
from asdkit.inference.bundle import Bundle
from asdkit.inference.recordings import read_recording
from asdkit.io.tables import PathName
from asdkit.io.trials import Trials

logger = logging.getLogger(__name__)

SECONDS = (0.5, 1.0, 2.0, 3.0, 5.0, 10.0)
SNRS_DB = (20.0, 10.0, 5.0, 0.0)
WHOLE = "whole recordings"
MAX_ENROLL = 300  # recordings to compare with, drawn where there are more

Change = Callable[[np.ndarray, int, int], "np.ndarray | None"]


class Measured(NamedTuple):
    """Trials of changed test recordings.

    Attributes:
        llrs: (N,) calibrated scores.
        is_target: (N,) bool.
        spk: (N, 2) speakers of both sides.
        num_recordings: test recordings that are long enough for the change.
        num_refused: those of them in which the bundle found too little speech.
    """

    llrs: np.ndarray
    is_target: np.ndarray
    spk: np.ndarray
    num_recordings: int
    num_refused: int


def cut_middle(
    samples: np.ndarray, sampling_rate: int, seed: int, sec: float
) -> np.ndarray | None:
    """Cut seconds from the middle of (L,) samples; None: there are not as many.

    Example:
        >>> cut_middle(np.arange(10), 2, 0, 2.0)
        array([3, 4, 5, 6])
        >>> cut_middle(np.arange(10), 2, 0, 6.0) is None
        True
    """
    length = round(sec * sampling_rate)
    start = (len(samples) - length) // 2
    return samples[start : start + length] if start >= 0 else None


def add_shaped_noise(
    samples: np.ndarray, sampling_rate: int, seed: int, snr_db: float
) -> np.ndarray:
    """Add noise with the long-term spectrum of the recording itself: (L,) -> (L,).

    The noise is the recording with random phases, which sounds like a crowd; the signal
    of the ratio is the whole recording, pauses as well.
    """
    rng = np.random.default_rng(seed)
    spectrum = np.fft.rfft(samples)
    turned = np.abs(spectrum) * np.exp(2j * np.pi * rng.random(len(spectrum)))
    noise = np.fft.irfft(turned, len(samples))
    power, noise_power = np.mean(samples**2), np.mean(noise**2)
    if noise_power == 0:
        return samples
    noise *= np.sqrt(power / noise_power) * 10 ** (-snr_db / 20)
    return np.asarray((samples + noise).astype(np.float32))


CONDITIONS: Mapping[str, Change] = {
    **{f"{x:g} s": functools.partial(cut_middle, sec=x) for x in SECONDS},
    **{f"SNR {x:g} dB": functools.partial(add_shaped_noise, snr_db=x) for x in SNRS_DB},
}


def measure_conditions(
    bundle: Bundle,
    data_dir: PathName,
    trials: Trials,
    spk_of: Mapping[str, str],
    num_recordings: int,
    seed: int = 0,
) -> dict[str, Measured]:
    """Score trials whose test recordings are cut, or noise is added to them.

    Args:
        bundle: decides.
        data_dir: with the recordings of both sides.
        trials: pairs of utterances.
        spk_of: the speaker of every utterance.
        num_recordings: test recordings to draw.
        seed: of what is drawn, and of noise.

    Returns:
        name of a condition -> its trials; the whole recordings first.

    Raises:
        DataError: an utterance has no recording.
    """
    rng = np.random.default_rng(seed)
    tests = _draw(rng, np.unique(trials.test), num_recordings)
    kept = np.isin(trials.test, tests)
    enrolled = _draw(rng, np.unique(trials.enroll[kept]), MAX_ENROLL)
    kept &= np.isin(trials.enroll, enrolled)
    cuts = {cut.id: cut for cut in read_cuts(data_dir, features=False)}
    enroll_ids = [trials.enroll_ids[row] for row in enrolled]
    rate = bundle.speaker.sampling_rate
    models = {}
    for row, utt in zip(enrolled, enroll_ids, strict=True):
        vector = _embed(bundle, _samples(cuts, utt, data_dir, rate), rate)
        if vector is not None:
            models[int(row)] = vector
    found = {}
    recordings = {
        int(row): _samples(cuts, trials.test_ids[row], data_dir, rate) for row in tests
    }
    for name, change in {WHOLE: None, **CONDITIONS}.items():
        vectors, count = {}, 0
        for row, samples in recordings.items():
            changed = samples if change is None else change(samples, rate, seed + row)
            if changed is None:
                continue
            count += 1
            vector = _embed(bundle, changed, rate)
            if vector is not None:
                vectors[row] = vector
        found[name] = _score(
            bundle, trials, kept, spk_of, models, vectors, count - len(vectors)
        )
        logger.info("card: %s: %d recordings", name, count)
    return found


def _draw(rng: np.random.Generator, rows: np.ndarray, most: int) -> np.ndarray:
    """Draw rows without replacement, in order; all where there are not more."""
    if len(rows) <= most:
        return rows
    return np.sort(rng.choice(rows, most, replace=False))


def _samples(
    cuts: Mapping[str, Any], utt: str, data_dir: PathName, rate: int
) -> np.ndarray:
    """Read the (L,) samples of an utterance."""
    if utt not in cuts:
        raise DataError(Path(data_dir), f"it has no recording of {utt!r}")
    return read_recording(cuts[utt], rate).samples


def _embed(bundle: Bundle, samples: np.ndarray, rate: int) -> np.ndarray | None:
    """Compute an (E,) embedding; None: the bundle refuses the recording."""
    try:
        return bundle.embed((samples, rate))
    except DataError as error:
        logger.debug("card: %s", error)
        return None


def _score(
    bundle: Bundle,
    trials: Trials,
    kept: np.ndarray,
    spk_of: Mapping[str, str],
    models: Mapping[int, np.ndarray],
    vectors: Mapping[int, np.ndarray],
    num_refused: int,
) -> Measured:
    """Score the trials that are left."""
    count = len(vectors) + num_refused
    embedded = np.isin(trials.enroll, list(models))
    embedded &= np.isin(trials.test, list(vectors))
    here = np.flatnonzero(kept & embedded)
    if not len(here):
        nothing = np.zeros(0)
        spk = np.zeros((0, 2), dtype=str)
        return Measured(nothing, nothing.astype(bool), spk, count, num_refused)
    place = [{row: n for n, row in enumerate(x)} for x in (models, vectors)]
    rows = np.array([place[0][int(row)] for row in trials.enroll[here]])
    columns = np.array([place[1][int(row)] for row in trials.test[here]])
    enroll, test = (np.stack([*x.values()]) for x in (models, vectors))
    llrs = bundle.comparison.score_trials(enroll, test, rows, columns)
    pairs = zip(trials.enroll[here], trials.test[here], strict=True)
    spk = np.array(
        [[spk_of[trials.enroll_ids[a]], spk_of[trials.test_ids[b]]] for a, b in pairs]
    )
    return Measured(llrs, trials.is_target[here], spk, count, num_refused)
