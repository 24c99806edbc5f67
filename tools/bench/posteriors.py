"""Time frame posteriors beside plain torch and NumPy: row P5, and what surrounds it.

    python tools/bench/posteriors.py                       a drawn UBM, 2048 x 72
    python tools/bench/posteriors.py --ubm exp/ubm/ubm.npz --data data/train
    env -u OPENBLAS_CORETYPE python tools/bench/...        where the system sets it

All sides alternate in one process on one thread, and CPU time counts, which other
programs on the machine disturb less than the clock; a ratio is the median over the
rounds of theirs by ours.  The peers choose with torch.topk or np.argpartition and weigh
with a loop over Gaussians, as a first version does.  Kaldi's gmm-gselect and
fgmm-global-gselect-to-post took 9.0 s of CPU per hour of audio for the same on the
machine of performance.md; these binaries are not called here.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
from asdkit.base.blas import choose_kernels

choose_kernels()

# ruff: noqa: E402
import numpy as np
import torch
from torch import Tensor

from asdkit.batches.gmm_frames import sample_frames
from asdkit.gmm.aligner import Aligner
from asdkit.gmm.full import FullGmm
from asdkit.gmm.statistics import first_order, second_order
from asdkit.gmm.ubm import NEGLIGIBLE, Ubm
from asdkit.models.ubm_files import load_ubm

FRAMES_PER_HOUR = 360_000
UTT = 800  # frames, 8 s
Side = Callable[[], object]


def draw(num_gauss: int, dim: int, num_frames: int) -> tuple[Ubm, Tensor]:
    """Draw a UBM whose Gaussians overlap about as those of speech, and its frames."""
    rng = np.random.default_rng(0)
    root = np.eye(dim) + 0.1 * rng.standard_normal((num_gauss, dim, dim))
    means = 0.9 * rng.standard_normal((num_gauss, dim))
    weights = rng.dirichlet(np.full(num_gauss, 3.0))
    full = FullGmm.of(weights, means, root @ root.swapaxes(1, 2))
    owner = rng.choice(num_gauss, num_frames, p=weights)
    noise = rng.standard_normal((num_frames, dim))
    frames = means[owner] + np.einsum("td,ted->te", noise, root[owner])
    return Ubm(full.diagonal(), full), torch.from_numpy(frames.astype(np.float32))


class Plain:
    """Kaldi's posteriors as one writes them first, on torch or NumPy.

    Per chunk of frames: a dense diagonal score, the best few of it, and per Gaussian
    the full-covariance score of the frames that chose it.
    """

    def __init__(self, ubm: Ubm, use_numpy: bool, num_gselect: int = 20) -> None:
        self.projection = torch.from_numpy(ubm.diag.projection()).float()
        factor, constant = (x.float() for x in ubm.full.factors())
        self.root, self.shift = factor[:, :-1].contiguous(), factor[:, -1].contiguous()
        self.constant = constant
        self.use_numpy = use_numpy
        self.num_gselect = num_gselect

    def choose(self, x: Tensor) -> Tensor:
        """(T, D) -> (T, K)."""
        expanded = torch.cat([x, x * x, torch.ones(len(x), 1)], dim=1)
        if not self.use_numpy:
            return (expanded @ self.projection).topk(self.num_gselect).indices
        loglikes = expanded.numpy() @ self.projection.numpy()
        best = np.argpartition(-loglikes, self.num_gselect, axis=1)
        return torch.from_numpy(best[:, : self.num_gselect])

    def align(self, frames: Tensor, chunk: int = 4096) -> list[Tensor]:
        """Return dense (T, K) posteriors, pruned and scaled."""
        found = []
        for x in frames.split(chunk):
            chosen = self.choose(x)
            loglikes = torch.empty(chosen.shape)
            order = chosen.flatten().argsort()
            gauss, count = chosen.flatten()[order].unique_consecutive(
                return_counts=True
            )
            for g, pairs in zip(gauss, order.split(count.tolist()), strict=True):
                y = x[pairs // self.num_gselect]
                y = self.multiply(y, self.root[g]) + self.shift[g]
                value = self.constant[g] - 0.5 * (y * y).sum(dim=1)
                loglikes.view(-1)[pairs] = value
            posteriors = loglikes.softmax(dim=1)
            posteriors *= posteriors >= 0.025
            found.append(posteriors / posteriors.sum(dim=1, keepdim=True))
        return found

    def multiply(self, a: Tensor, b: Tensor) -> Tensor:
        """A matrix product of the chosen library."""
        return torch.from_numpy(a.numpy() @ b.numpy()) if self.use_numpy else a @ b


def rows(ubm: Ubm, frames: Tensor) -> dict[str, tuple[Side, Side | None]]:
    """Name -> our side and theirs."""
    aligner = Aligner(*ubm)
    on_torch, on_numpy = Plain(ubm, use_numpy=False), Plain(ubm, use_numpy=True)
    posteriors = aligner.align(frames)
    em = Aligner(*ubm, min_post=NEGLIGIBLE)
    splits = np.append(np.arange(0, len(frames), UTT), len(frames))
    return {
        "P5 posteriors, plain torch": (
            lambda: aligner.align(frames),
            lambda: on_torch.align(frames),
        ),
        "P5 posteriors, plain NumPy": (
            lambda: aligner.align(frames),
            lambda: on_numpy.align(frames),
        ),
        "   of these, the selection": (lambda: ubm.diag.select(frames, 20), None),
        "   zeroth and first order": (
            lambda: first_order(frames, posteriors, splits),
            None,
        ),
        "   second order": (lambda: second_order(frames, posteriors), None),
        "   EM pass, diagonal": (lambda: ubm.diag.accumulate(frames), None),
        "   EM pass, full": (lambda: em.accumulate(frames), None),
    }


def cpu_time(side: Side) -> float:
    """CPU seconds of a call."""
    start = time.process_time()
    side()
    return time.process_time() - start


def main() -> None:
    """Print a line per row."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--ubm", help="ubm.npz; with --data, else both are drawn")
    parser.add_argument("--data", help="data directory to take frames from")
    parser.add_argument("--num-gauss", type=int, default=2048, help="of a drawn UBM")
    parser.add_argument("--num-frames", type=int, default=36_000)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.ubm and args.data:
        ubm, frontend = load_ubm(args.ubm)
        sample = sample_frames(args.data, frontend, num_frames=args.num_frames)
        frames = torch.from_numpy(sample)
    else:
        ubm, frames = draw(args.num_gauss, 72, args.num_frames)
    kept = len(Aligner(*ubm).align(frames).gauss) / len(frames)
    print(f"{ubm.full.num_gauss} Gaussians, {kept:.2f} posteriors kept per frame")
    print(f"{'':32}{'ours':>8}{'theirs':>8}  s of CPU per hour of audio, median ratio")
    scale = FRAMES_PER_HOUR / len(frames)
    for name, sides in rows(ubm, frames).items():
        present = [side for side in sides if side]
        for side in present:
            side()  # the first time allocates
        times = [[cpu_time(side) for side in present] for _ in range(args.rounds)]
        medians = [statistics.median(side) for side in zip(*times, strict=True)]
        line = f"{name:32}" + "".join(f"{scale * t:8.2f}" for t in medians)
        if len(present) == 2:
            ratio = statistics.median(theirs / ours for ours, theirs in times)
            line += f"  {ratio:6.2f}"
        print(line, flush=True)


if __name__ == "__main__":
    main()
