"""Transmission channels: telephone lines and codecs.

A channel resamples to its own rate and back, so that a narrow-band one leaves nothing
above 4 kHz.  The output has the length of the input and is aligned with it.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import gcd

import numpy as np
import soundfile
from scipy import fft
from scipy.signal import resample_poly

from asdkit.base.errors import AsdkitError
from asdkit.base.packages import require
from asdkit.simulation.companding import (
    ALAW,
    ULAW,
    Law,
    compress,
    expand,
    from_pcm,
    to_pcm,
)
from asdkit.simulation.sessions import band_gain

NARROW = 8000  # Hz
WIDE = 16000  # Hz
TELEPHONE_HZ = (300.0, 3400.0)
FRAME_SEC = 0.02  # of the codecs that FFmpeg has


@dataclass(frozen=True)
class Channel:
    """A codec with its band and rate.

    Args:
        rate: rate in Hz; at 8 kHz only the telephone band passes.
        code: encodes and decodes: (L,) at that rate -> (L',), aligned.
        needs_ffmpeg: whether that needs PyAV, an optional package.
    """

    rate: int
    code: Callable[[np.ndarray], np.ndarray]
    needs_ffmpeg: bool = False

    def __call__(self, samples: np.ndarray, sample_frequency: int) -> np.ndarray:
        """Transmit: (L,) of any rate -> (L,) float32.

        Raises:
            AsdkitError: a library that the codec needs is not installed.
        """
        sent = resample(samples, sample_frequency, self.rate)
        if self.rate == NARROW:
            sent = limit_band(sent, self.rate, *TELEPHONE_HZ)
        heard = resample(self.code(sent), self.rate, sample_frequency)
        return fit_length(heard, len(samples))


def resample(samples: np.ndarray, old_rate: int, new_rate: int) -> np.ndarray:
    """Change the sampling rate: (L,) -> (L',) float32."""
    if old_rate == new_rate:
        return samples.astype(np.float32)
    common = gcd(old_rate, new_rate)
    changed = resample_poly(samples, new_rate // common, old_rate // common)
    return changed.astype(np.float32)


def fit_length(samples: np.ndarray, num_samples: int) -> np.ndarray:
    """Cut the end off, or append zeros: (L,) -> (num_samples,)."""
    fitted = np.zeros(num_samples, dtype=samples.dtype)
    fitted[: len(samples)] = samples[:num_samples]
    return fitted


def limit_band(
    samples: np.ndarray, sample_frequency: int, low_hz: float, high_hz: float
) -> np.ndarray:
    """Limit the band as `asdkit.simulation.sessions.band_gain` does: (L,) -> (L,)."""
    size = fft.next_fast_len(len(samples) + sample_frequency // 10, real=True)
    gain = band_gain(low_hz, high_hz, fft.rfftfreq(size, 1 / sample_frequency))
    spectrum = fft.rfft(samples.astype(np.float32), size) * gain.astype(np.float32)
    return fft.irfft(spectrum, size)[: len(samples)]


def code_g711(samples: np.ndarray, law: Law) -> np.ndarray:
    """Compress and expand by a law of G.711: (L,) -> (L,)."""
    return from_pcm(expand(compress(to_pcm(samples), law), law))


def code_libsndfile(
    samples: np.ndarray, rate: int, container: str, subtype: str, level: float | None
) -> np.ndarray:
    """Write and read a sound file in memory: (L,) -> (L',).

    Args:
        samples: (L,).
        rate: in Hz.
        container: libsndfile's name of a format.
        subtype: libsndfile's name of a codec.
        level: compression level, from 0 to 1; None if fixed.

    Raises:
        AsdkitError: this libsndfile lacks the codec.
    """
    if not soundfile.check_format(container, subtype):
        raise AsdkitError(
            f"libsndfile {soundfile.__libsndfile_version__} cannot write {subtype}",
            hint="pip install --upgrade soundfile, which brings a newer one along",
        )
    encoded = io.BytesIO()
    clipped = np.clip(samples, -1, 1)
    soundfile.write(
        encoded,
        clipped,
        rate,
        format=container,
        subtype=subtype,
        compression_level=level,
    )
    encoded.seek(0)
    return soundfile.read(encoded, dtype="float32")[0]


def code_ffmpeg(
    samples: np.ndarray,
    rate: int,
    encoder: str,
    decoder: str,
    delay: int,
    bit_rate: int,
) -> np.ndarray:
    """Encode and decode with FFmpeg's libraries, in memory: (L,) -> (L',).

    Args:
        samples: (L,).
        rate: in Hz.
        encoder: FFmpeg's name.
        decoder: FFmpeg's name.
        delay: delay of the codec in samples, which is removed.
        bit_rate: bits per second.

    Raises:
        AsdkitError: PyAV is not installed, or was built without the codec.
    """
    av = require("av", "pip install 'asdkit[spoof]'")
    size = round(FRAME_SEC * rate)
    padded = np.zeros(-(-(len(samples) + delay) // size) * size, np.int16)
    padded[: len(samples)] = to_pcm(samples)
    try:
        writer = av.CodecContext.create(encoder, "w")
        reader = av.CodecContext.create(decoder, "r")
    except av.codec.codec.UnknownCodecError as error:
        raise AsdkitError(
            f"PyAV {av.__version__} was built without the codec {error}",
            hint="pip install 'av<19', whose wheels have it",
        ) from None
    writer.format, writer.bit_rate = "s16", bit_rate
    for side in writer, reader:
        side.sample_rate, side.layout = rate, "mono"
    heard = []
    for start in range(0, len(padded) + size, size):
        piece = padded[None, start : start + size]
        frame = None  # says that this was all
        if piece.size:
            frame = av.AudioFrame.from_ndarray(piece, format="s16", layout="mono")
            frame.sample_rate, frame.pts = rate, start
        for packet in writer.encode(frame):
            heard += [frame.to_ndarray().ravel() for frame in reader.decode(packet)]
    decoded = np.concatenate(heard)
    if decoded.dtype == np.int16:
        decoded = from_pcm(decoded)
    return decoded[delay:]


def _file(
    rate: int, container: str, subtype: str, level: float | None = None
) -> Channel:
    """Make a channel with one of libsndfile's codecs."""
    code = partial(
        code_libsndfile, rate=rate, container=container, subtype=subtype, level=level
    )
    return Channel(rate, code)


def _ffmpeg(
    rate: int, encoder: str, decoder: str, delay: int, bit_rate: int
) -> Channel:
    """Make a channel with one of FFmpeg's codecs."""
    code = partial(
        code_ffmpeg,
        rate=rate,
        encoder=encoder,
        decoder=decoder,
        delay=delay,
        bit_rate=bit_rate,
    )
    return Channel(rate, code, needs_ffmpeg=True)


CHANNELS = {
    "telephone": Channel(NARROW, lambda samples: samples),
    "alaw": Channel(NARROW, partial(code_g711, law=ALAW)),
    "ulaw": Channel(NARROW, partial(code_g711, law=ULAW)),
    "gsm": _file(NARROW, "WAV", "GSM610"),  # full rate, 13 kb/s
    "g726": _file(NARROW, "AU", "G721_32"),  # 32 kb/s
    "opus": _file(WIDE, "OGG", "OPUS", level=0.96),  # about 17 kb/s
    "vorbis": _file(WIDE, "OGG", "VORBIS", level=0.9),  # about 32 kb/s
    "mp3": _file(WIDE, "MP3", "MPEG_LAYER_III", level=0.7),  # about 23 kb/s
    "g722": _ffmpeg(WIDE, "g722", "g722", delay=22, bit_rate=64_000),
    "amr": _ffmpeg(NARROW, "libopencore_amrnb", "amrnb", delay=39, bit_rate=12_200),
}
