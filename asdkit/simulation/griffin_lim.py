"""Griffin-Lim: speech from a spectrogram with estimated phases."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from asdkit.base.threads import one_thread

if TYPE_CHECKING:
    from torch import Tensor

WINDOW_SEC = 0.064
HOP_SEC = 0.016
NUM_ITERS = 32
MOMENTUM = 0.99


@one_thread()  # two cost 1.6 times the CPU time
def griffin_lim(
    samples: np.ndarray, sample_frequency: int, num_mels: int = 80
) -> np.ndarray:
    """Reduce speech to a magnitude spectrogram and reconstruct a waveform from it.

    Args:
        samples: (L,), longer than half a window of 64 ms.
        sample_frequency: in Hz.
        num_mels: number of mel bands; fewer sound hoarser; 0: all of the spectrogram.

    Returns:
        (L,) float32, the same each time.

    Source: D. Griffin and J. Lim, "Signal estimation from modified short-time
    Fourier transform", IEEE Trans. ASSP 32, 1984; N. Perraudin, P. Balazs,
    P. Sondergaard, "A fast Griffin-Lim algorithm", WASPAA 2013, for the momentum, which
    librosa and torchaudio divide by one more than itself, as here.
    """
    import torch

    size = round(WINDOW_SEC * sample_frequency)
    wave = torch.from_numpy(np.asarray(samples, dtype=np.float32))
    frames = _Frames(len(wave), size, round(HOP_SEC * sample_frequency))
    before = frames.analyze(wave)  # (T, F)
    magnitude = before.abs().T  # (F, T)
    if num_mels:
        bands, inverse = _mel_filters(num_mels, size, sample_frequency)
        magnitude = inverse @ (bands @ magnitude.double())
    magnitude = magnitude.clamp(min=0).float().contiguous()
    # FFTs round by the order in memory; with (F, T), samples are those of torch.istft.
    guess = torch.complex(magnitude, torch.zeros_like(magnitude))
    magnitude = magnitude.T[..., None].expand(*before.shape, 2).contiguous()
    before.zero_()
    for _ in range(NUM_ITERS):
        spectrum = frames.analyze(frames.synthesize(guess.T))
        phases = spectrum - before.mul_(MOMENTUM / (1 + MOMENTUM))
        parts = phases.real.contiguous(), phases.imag.contiguous()
        length = torch.zeros_like(phases)
        length.real.copy_(torch.hypot(*parts).add_(1e-16))
        torch.view_as_real(phases.div_(length)).mul_(magnitude)
        guess.copy_(phases.T)
        before = spectrum
    return frames.synthesize(guess.T).numpy()


class _Frames:
    """`torch.stft` and `torch.istft` of one length, to the bit, at half their price.

    What does not change between calls is computed once, and nothing is checked.

    Args:
        num_samples: L.
        size: samples in a frame.
        hop: samples from frame to frame.
    """

    def __init__(self, num_samples: int, size: int, hop: int) -> None:
        import torch

        self._num_samples, self._size, self._hop = num_samples, size, hop
        self._window = torch.hann_window(size)
        power = self._window.square().expand(1 + num_samples // hop, size)
        self._weight = self._add(power)

    def analyze(self, wave: Tensor) -> Tensor:
        """Transform windowed frames: (L,) -> (T, F) complex, frame t around t * hop."""
        import torch

        around = (self._size // 2, self._size // 2)
        wave = torch.nn.functional.pad(wave[None], around, mode="reflect")[0]
        return torch.fft.rfft(wave.unfold(0, self._size, self._hop) * self._window)

    def synthesize(self, spectra: Tensor) -> Tensor:
        """Find the wave with the closest spectra: (T, F) complex -> (L,)."""
        import torch

        pieces = torch.fft.irfft(spectra, n=self._size).mul_(self._window)
        wave = self._add(pieces).div_(self._weight)[self._size // 2 :]
        missing = self._num_samples - len(wave)
        if missing > 0:
            return torch.nn.functional.pad(wave, (0, missing))
        return wave[: self._num_samples]

    def _add(self, pieces: Tensor) -> Tensor:
        """Add up overlapping pieces, the earlier first: (T, size) -> (L',)."""
        import torch

        num_blocks = -(-self._size // self._hop)
        rest = num_blocks * self._hop - self._size
        if rest:
            pieces = torch.nn.functional.pad(pieces, (0, rest))
        blocks = pieces.reshape(len(pieces), num_blocks, self._hop)
        added = pieces.new_zeros(len(pieces) + num_blocks - 1, self._hop)
        for i in reversed(range(num_blocks)):
            added[i : i + len(pieces)] += blocks[:, i]
        return added.flatten()[: (len(pieces) - 1) * self._hop + self._size]


@lru_cache
def _mel_filters(
    num_mels: int, size: int, sample_frequency: int
) -> tuple[Tensor, Tensor]:
    """Return mel filters (M, F) and their least-squares inverse (F, M)."""
    import torch

    from asdkit.base.filterbanks import htk_mel_banks

    top = sample_frequency / 2
    bands = htk_mel_banks(size, 0, top, num_mels, sample_frequency).T.double()
    return bands, torch.linalg.pinv(bands)
