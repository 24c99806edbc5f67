"""The d-vector: a recurrent network on windows of a recording, averaged."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from asdkit.base.filterbanks import triangles
from asdkit.base.ranges import Count
from asdkit.nnet.network import Network
from asdkit.nnet.padding import mean_over_time

SAMPLE_FREQUENCY = 16000
FFT, SHIFT = 400, 160  # samples: 25 and 10 ms
WINDOW, STEP = 160, 77  # frames of a window, and from one to the next: 1.3 a second
COVERAGE = 0.75  # a window with less of the recording is left out, but for the first
LEVEL = 10 ** (-30 / 20)  # to which quieter recordings are raised: -30 dBFS
SILENT = 1e-9


class DVector(Network):
    """LSTM layers on 1.6 s of mel energies at a time, of samples.

    Quiet recordings are raised to -30 dBFS.  An embedding is the mean of those of all
    windows, each of length 1, and has length 1 itself.

    Args:
        hidden_dim: dimension of the recurrent layers.
        num_layers: number of recurrent layers.
        num_mel_bins: number of mel bands.
        feat_dim: 1: samples (D).
        embedding_dim: embedding dimension.

    Source: L. Wan et al., "Generalized end-to-end loss for speaker verification",
    ICASSP 2018; front end, windows and mean as in resemblyzer 0.1.4, but for its voice
    activity detection, which shortens pauses.
    """

    min_frames = FFT

    kernel: Tensor
    banks: Tensor

    def __init__(
        self,
        hidden_dim: Count = 256,
        num_layers: Count = 3,
        num_mel_bins: Count = 40,
        feat_dim: Count = 1,
        embedding_dim: Count = 256,
    ) -> None:
        super().__init__(feat_dim, embedding_dim)
        self.require_samples(feat_dim)
        self.lstm = nn.LSTM(num_mel_bins, hidden_dim, num_layers, batch_first=True)
        self.linear = nn.Linear(hidden_dim, embedding_dim)
        with torch.device("cpu"):  # meta has no numbers
            kernel, banks = windowed_dft(), slaney_mel_banks(num_mel_bins)
        self.register_buffer("kernel", kernel, persistent=False)
        self.register_buffer("banks", banks, persistent=False)

    def embed(self, x: Tensor, num_frames: Tensor | None) -> Tensor:
        """(N, 1, L) -> (N, E)."""
        x = x[:, 0]
        if num_frames is None:
            lengths, counts = torch.tensor([x.shape[1]]), None
            power = (x * x).mean(dim=1, keepdim=True)
        else:
            lengths, counts = num_frames, count_windows(num_frames)
            power = (x * x).sum(dim=1, keepdim=True) / num_frames[:, None]
        x = x * (LEVEL / power.sqrt().clamp(min=SILENT)).clamp(min=1.0)
        mels = self._mels(F.pad(x, (0, WINDOW * SHIFT)))  # (N, T, B)

        # A tensor, or a graph would keep its value.
        most: Any = count_windows(lengths).max()
        starts = STEP * torch.arange(most, device=x.device)  # (S,)
        times = starts[:, None] + torch.arange(WINDOW, device=x.device)  # (S, WINDOW)
        windows = mels[:, times.flatten()]  # (N, S WINDOW, B)
        windows = windows.reshape(-1, WINDOW, mels.shape[2])  # (N S, WINDOW, B)
        states, _ = self.lstm(windows)
        outputs = self.linear(states[:, -1]).relu()
        outputs = F.normalize(outputs).reshape(x.shape[0], -1, self.embedding_dim)
        return F.normalize(mean_over_time(outputs.transpose(1, 2), counts))

    def _mels(self, x: Tensor) -> Tensor:
        """(N, L) -> (N, T, B) energies of frames that are centered on their times."""
        x = F.pad(x, (FFT // 2, FFT // 2))
        both = F.conv1d(x[:, None], self.kernel, stride=SHIFT)  # (N, 2F, T)
        half = self.kernel.shape[0] // 2
        power = both[:, :half].square() + both[:, half:].square()  # (N, F, T)
        return (self.banks @ power).transpose(1, 2)


def count_windows(num_samples: Tensor) -> Tensor:
    """(N,) samples -> (N,) windows, the last of which holds enough of the recording."""
    num_frames = (num_samples + SHIFT) // SHIFT  # ceil((L + 1) / SHIFT)
    steps = (num_frames - WINDOW + STEP + 1).clamp(min=1)
    count = (steps + STEP - 1) // STEP
    left = num_samples - (count - 1) * STEP * SHIFT
    is_poor = left < COVERAGE * WINDOW * SHIFT
    return (count - is_poor.long()).clamp(min=1)


def windowed_dft() -> Tensor:
    """Return (2F, 1, FFT) cosines and sines under a periodic Hann window."""
    times = torch.arange(FFT, dtype=torch.float64)
    window = 0.5 - 0.5 * torch.cos(2 * math.pi / FFT * times)
    phase = 2 * math.pi / FFT * torch.outer(torch.arange(FFT // 2 + 1.0), times)
    return (torch.cat([phase.cos(), phase.sin()]) * window).float()[:, None]


def slaney_mel_banks(num_bins: int) -> Tensor:
    """Return (B, F) triangles of area 1 on Slaney's mel scale, linear below 1 kHz.

    Source: M. Slaney, "Auditory toolbox", 1998; librosa.filters.mel's defaults.
    """
    step, corner = 200 / 3, 1000.0  # Hz in a mel below the corner
    log_step = math.log(6.4) / 27
    top = corner / step + math.log(SAMPLE_FREQUENCY / 2 / corner) / log_step
    mels = torch.linspace(0, top, num_bins + 2, dtype=torch.float64)
    above = corner * torch.exp(log_step * (mels - corner / step))
    edges = torch.where(mels < corner / step, step * mels, above)
    at = torch.arange(FFT // 2 + 1, dtype=torch.float64) * SAMPLE_FREQUENCY / FFT
    banks = triangles(at, edges) * 2 / (edges[2:] - edges[:-2])  # (F, B)
    return banks.T.contiguous().float()
