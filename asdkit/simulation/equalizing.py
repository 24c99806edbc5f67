"""The last steps of a recording, the same for bona fide and spoofed speech.

What a vocoder leaves in a file that is not speech (an offset, a length that is a
multiple of its hop, a pause of zeros, a level) is what the steps below set anew, from
laws that do not know the class.  They cannot hide how the speech itself was made, nor
how long it is.
"""

from __future__ import annotations

import numpy as np

from asdkit.base.silence import loud_frames
from asdkit.simulation.rooms import Acoustics, in_room

CUTOFF_HZ = 90.0  # the lowest voices begin here
ORDER = 48  # 80 Hz falls by 49 dB, below the noise of FLOOR_DB
TOP = 0.45  # of the sampling rate: 7.2 of 16 kHz, below where resampling filters begin
TOP_ORDER = 64  # half the sampling rate falls by 58 dB
SILENCE_SEC = (0.1, 0.3)  # at either end
SHORTEST = 0.5  # of the longest speech that is kept
REVERBERATION_SEC = (0.1, 0.5)  # of rooms
DIRECT_DB = (8.0, 20.0)  # direct sound against the echoes, near a microphone
LEVEL_DB = (-32.0, -24.0)  # of all samples, relative to full scale
FLOOR_DB = (-40.0, -30.0)  # relative to that level
CREST_DB = (8.5, 12.5)  # limit of peaks, relative to that level
HARDNESS = 8  # of the limiter: at half the limit it changes samples by 0.05 %
DENSE_DB = -30.0  # below the loudest frame; speech without its pauses
QUIETEST = 0.05  # share of the frames whose spectrum is that of the recording's floor
STEP = 1 / 32768


def equalize(
    samples: np.ndarray,
    sampling_rate: int,
    rng: np.random.Generator,
    speech_sec: float = 0.0,
    in_rooms: bool = False,
    longest_sec: float = np.inf,
) -> np.ndarray:
    """Pass a recording through a chain that leaves its class no trace of the file's.

    A room, if there are any; a band-pass from 90 Hz to 0.45 of the sampling rate,
    without delay; the piece of the speech with the least pauses, if it is to be cut;
    silences of 0.1 to 0.3 s at both ends, cut from what is there or made of noise with
    the spectrum of the quietest frames; a limit of 8.5 to 12.5 dB on peaks, and the
    band-pass again; either polarity; a level of -32 to -24 dB; white noise 30 to 40 dB
    below it; triangular dither of a 16-bit step.  Writing as 16-bit samples is left to
    the caller.

    Args:
        samples: (L,) float in [-1, 1).
        sampling_rate: in Hz.
        rng: draws room, lengths, limit, level and noise.
        speech_sec: speech is cut to between half of this and this; 0: not.
        in_rooms: whether to reverberate it in a room drawn for it.
        longest_sec: speech is cut to at most this, too: the length of the speech that
            was imitated.

    Returns:
        (L',) float32.

    Source: the band-pass has the magnitude of Butterworth filters of order 48 and 64;
    dither as in S. Lipshitz, R. Wannamaker and J. Vanderkooy, "Quantization and dither:
    a theoretical survey", Journal of the Audio Engineering Society 40, 1992.
    """
    x = np.asarray(samples, np.float64)
    if in_rooms:
        place = Acoustics(rng.uniform(*REVERBERATION_SEC), rng.uniform(*DIRECT_DB))
        x = in_room(x, sampling_rate, rng, place).astype(np.float64)
    x = _band_pass(x, sampling_rate)
    # All draws are made in every case: none depends on what the recording holds.
    length = rng.uniform(SHORTEST, 1) * (speech_sec or np.inf)
    most = round(min(length, longest_sec, len(x) / sampling_rate) * sampling_rate)
    x = _with_silences(x, sampling_rate, rng, most)
    laws = LEVEL_DB, FLOOR_DB, CREST_DB
    level, floor, crest = (10 ** (rng.uniform(*law) / 20) for law in laws)
    polarity = rng.choice([-1.0, 1.0])  # a voice has one, a microphone another
    rms = float(np.sqrt(np.mean(x * x)))
    if rms > STEP:
        # Filtered anew, for what the limiter makes of a lopsided wave: an offset.
        x = polarity * level * _band_pass(_limit(x / rms, crest), sampling_rate)
    x = x + level * floor * rng.standard_normal(len(x))
    dither = STEP * (rng.random(len(x)) - rng.random(len(x)))
    return (x + dither).astype(np.float32)


def speech_length(samples: np.ndarray, sampling_rate: int) -> float:
    """Return the seconds from the first to the last frame of speech in (L,) samples."""
    first, last = _speech(_band_pass(samples, sampling_rate), sampling_rate)[:2]
    return (last - first) / sampling_rate


def floor_of(
    samples: np.ndarray, sampling_rate: int, length: int, rng: np.random.Generator
) -> np.ndarray:
    """Make noise like that of the quietest frames of (L,) samples: (length,).

    A synthesizer's speech has none of its own; with this it is as noisy between the
    words as the recording of whom it imitates.
    """
    x = np.asarray(samples, np.float64)
    _, _, frames, power = _speech(x - x.mean(), sampling_rate)
    return _floor_noise(frames, power, length, rng)


def _band_pass(x: np.ndarray, sampling_rate: int) -> np.ndarray:
    """Filter (L,) samples by magnitude only: (L,)."""
    # Mirrored at the ends, where an offset would otherwise begin and end in a step.
    margin = round(10 * sampling_rate / CUTOFF_HZ)
    mirrored = np.pad(x - x.mean(), margin, mode="symmetric")
    size = 1 << (len(mirrored) - 1).bit_length()
    frequencies = np.fft.rfftfreq(size, 1 / sampling_rate)
    ratio = (frequencies / CUTOFF_HZ) ** ORDER
    gain = ratio / np.sqrt(1 + ratio * ratio)
    gain /= np.sqrt(1 + (frequencies / (TOP * sampling_rate)) ** (2 * TOP_ORDER))
    filtered = np.fft.irfft(np.fft.rfft(mirrored, size) * gain, size)
    return filtered[margin : margin + len(x)]


def _speech(
    x: np.ndarray, sampling_rate: int
) -> tuple[int, int, np.ndarray, np.ndarray]:
    """Find the speech of (L,) samples: first, last + 1, frames (T, size), powers."""
    frames, power, loud = loud_frames(x, sampling_rate)
    size = frames.shape[1]
    last = min(len(x), (int(loud[-1]) + 1) * size)
    return int(loud[0]) * size, last, frames, power


def _with_silences(
    x: np.ndarray, sampling_rate: int, rng: np.random.Generator, most: int
) -> np.ndarray:
    """Give (L,) samples new silences at both ends of a piece of the speech: (L',).

    The piece has at most ``most`` samples: those with the least pauses.  Inside the
    speech it goes on into what is there instead of silence.
    """
    first, last, frames, power = _speech(x, sampling_rate)
    low, high = (round(sec * sampling_rate) for sec in SILENCE_SEC)
    before, after = rng.integers(low, high, size=2, endpoint=True).tolist()
    if last - first > most:
        size = frames.shape[1]
        is_dense = power >= power.max() * 10 ** (DENSE_DB / 10)
        sums = np.cumsum(np.r_[0, is_dense[first // size : last // size]])
        num = min(len(sums) - 1, most // size)
        first += int(np.argmax(sums[num:] - sums[: len(sums) - num])) * size
        last = first + most
    missing = max(0, before - first), max(0, after - (len(x) - last))
    kept = x[max(0, first - before) : last + after]
    floor = _floor_noise(frames, power, sum(missing), rng)
    return np.concatenate([floor[: missing[0]], kept, floor[missing[0] :]])


def _limit(x: np.ndarray, most: float) -> np.ndarray:
    """Press (L,) samples softly below a limit and restore their power: (L,)."""
    pressed = x / (1 + (np.abs(x) / most) ** HARDNESS) ** (1 / HARDNESS)
    return pressed / np.sqrt(np.mean(pressed**2))


def _floor_noise(
    frames: np.ndarray, power: np.ndarray, length: int, rng: np.random.Generator
) -> np.ndarray:
    """Make noise like the quietest of (T, size) frames: (length,)."""
    num = max(1, round(QUIETEST * len(frames)))
    quietest = frames[np.argpartition(power, num - 1)[:num]]
    size = frames.shape[1]
    density = np.mean(np.abs(np.fft.rfft(quietest, axis=1)) ** 2, axis=0) / size
    white = np.fft.rfft(rng.standard_normal(max(length, 2)))
    at = np.linspace(0, 1, len(white))
    gain = np.sqrt(np.interp(at, np.linspace(0, 1, len(density)), density))
    return np.fft.irfft(white * gain, max(length, 2))[:length]
