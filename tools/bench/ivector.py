"""Time the extractor's E-step, M-step and extraction: rows P1-P4 and P7-P10.

    python tools/bench/ivector.py                     everything, about five minutes
    python tools/bench/ivector.py --shape 512,60,200  one model: G, D, R
    env -u OPENBLAS_CORETYPE python tools/bench/...   where the system sets it

Utterances of 8 s are drawn, with 2.2 Gaussians per frame out of 31 % of all, as
measured on speech.  Every model and precision runs in a process of its own, so that
the peak of its memory is its own, on one thread, and CPU time counts: the least of
some rounds.  The peer is what one writes first, utterance by utterance in NumPy, on the
same U; bob.learn.em is timed where it can be imported.  What Kaldi took on
the machine of performance.md is quoted, not measured.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
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

from asdkit.gmm.full import FullGmm
from asdkit.gmm.posteriors import Posteriors
from asdkit.gmm.statistics import first_order, second_order
from asdkit.ivector.em import Batch, EmStats, Totals
from asdkit.ivector.extractor import IvectorExtractor
from asdkit.ivector.posterior import IvectorPosterior
from asdkit.ivector.stored_statistics import BATCH
from asdkit.ivector.symmetric import unpack

FRAMES = 800  # of an utterance, 8 s
SHAPES = ("2048,72,400", "512,60,200")
KALDI = "Kaldi, quoted: E-step 150, extraction 63 (180 by default), M-step 72 s, 4.8 GB"
BOB = "bob.learn.em, quoted: 8394 at 2048,72,400; 333 at 512,60,200"


def draw_frames(num_gauss: int, dim: int) -> tuple[Tensor, Posteriors, np.ndarray]:
    """Draw the frames of a batch of utterances, and posteriors like those of speech."""
    rng = np.random.default_rng(0)
    num_frames = BATCH * FRAMES
    frames = rng.standard_normal((num_frames, dim), dtype=np.float32)
    counts = rng.choice([1, 2, 3, 4], num_frames, p=[0.3, 0.35, 0.2, 0.15])
    used = [rng.permutation(num_gauss)[: int(0.31 * num_gauss)] for _ in range(BATCH)]
    choice = rng.integers(len(used[0]), size=(num_frames, 4))
    gauss = np.stack(used)[np.arange(num_frames)[:, None] // FRAMES, choice]
    gauss = gauss[np.arange(4) < counts[:, None]].astype(np.int32)
    splits = np.cumsum([0, *counts])
    values = np.repeat(1 / counts, counts).astype(np.float32)
    parts = (torch.from_numpy(x) for x in (splits, gauss, values))
    return (
        torch.from_numpy(frames),
        Posteriors(*parts, num_gauss=num_gauss),
        np.arange(0, num_frames + 1, FRAMES),
    )


def draw_extractor(shape: tuple[int, int, int], precision: str) -> IvectorExtractor:
    """Make an extractor of some size."""
    num_gauss, dim, rank = shape
    rng = np.random.default_rng(0)
    extractor = IvectorExtractor(rank, precision=precision)
    extractor.m_ = np.empty(shape, dtype=precision)
    for m in extractor.m_:
        m[:] = 0.05 * rng.standard_normal((dim, rank))
    extractor.covars_ = np.tile(np.eye(dim), (num_gauss, 1, 1))
    extractor.weights_ = np.full(num_gauss, 1 / num_gauss)
    extractor.offset_ = np.array(100.0)
    return extractor


def cpu_time(side: Callable[[], object], rounds: int) -> float:
    """Least CPU seconds of a call, the first one left out."""
    times = []
    for _ in range(rounds + 1):
        start = time.process_time()
        side()
        times.append(time.process_time() - start)
    return min(times[1:] or times)


def peak() -> float:
    """Gigabytes that this process has held at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def plain(
    posterior: IvectorPosterior, stats: EmStats | None, n: Tensor, f: Tensor
) -> None:
    """One E-step, or an extraction, in the order in which one thinks of it."""
    for n_u, f_u in zip(n, f, strict=True):
        scaled = (posterior.inverse @ f_u[:, :, None]).flatten()  # (G * D,)
        linear = (scaled @ posterior.m).numpy()
        precision = unpack((n_u @ posterior.u)[None], posterior.dim)[0].numpy()
        covar = np.linalg.inv(np.eye(posterior.dim, dtype=linear.dtype) + precision)
        mean = covar @ linear
        if stats is not None:
            second = covar + np.outer(mean, mean)
            row, column = np.tril_indices(posterior.dim)
            stats.a += n_u[:, None] * torch.from_numpy(second[row, column])
            stats.y += f_u.flatten()[:, None] * torch.from_numpy(mean)


def time_statistics(
    shape: tuple[int, int, int], rounds: int
) -> tuple[Batch, Totals, list[float]]:
    """Make the statistics of a batch; seconds of the orders below two, and of two."""
    frames, posteriors, splits = draw_frames(*shape[:2])
    times = [
        cpu_time(lambda: first_order(frames, posteriors, splits), rounds),
        cpu_time(lambda: second_order(frames, posteriors), rounds),
    ]
    n, f = first_order(frames, posteriors, splits)
    total, s = second_order(frames, posteriors)
    # A batch explains itself too well: without more variance all would be floored.
    totals = Totals(BATCH, total.clone(), f.sum(0, dtype=torch.float64), 100 * s)
    return (n, f), totals, times


def time_e_step(
    extractor: IvectorExtractor, batch: Batch, rounds: int
) -> tuple[EmStats, list[float]]:
    """Seconds for U, for an E-step and for an extraction."""
    build = cpu_time(extractor.posterior, 0)
    posterior = extractor.posterior()
    stats = EmStats.zeros(extractor.m_.shape, posterior.u.dtype, "cpu")
    e_step = cpu_time(lambda: stats.add(posterior, *batch), rounds)
    extraction = cpu_time(lambda: posterior.mean(*batch), rounds)
    for total in stats:
        total.zero_()
    stats.add(posterior, *batch)
    return stats, [build, e_step, extraction]


def measure(shape: tuple[int, int, int], precision: str, rounds: int) -> None:
    """Print the figures of one model: rows P1-P4 and P9."""
    batch, totals, (sums, squares) = time_statistics(shape, rounds)
    extractor = draw_extractor(shape, precision)
    stats, (build, e_step, extraction) = time_e_step(extractor, batch, rounds)
    e_peak = peak()
    extractor.gaussian_min_count = 0.0  # update them all
    m_step = cpu_time(lambda: extractor.update(stats, totals), 0)
    all_peak = peak()

    posterior = extractor.posterior()
    few = [x[:4].to(posterior.u.dtype) for x in batch]
    peer = cpu_time(lambda: plain(posterior, stats, *few), 1) / 4
    peer_extraction = cpu_time(lambda: plain(posterior, None, *few), 1) / 4

    def ms(seconds: float) -> str:
        return f"{1000 * seconds / BATCH:6.2f}"

    print(
        f"{precision}  E-step {ms(sums + squares + e_step)} ms/utt"
        f" (statistics {ms(sums)}, second order {ms(squares)},"
        f" peer {1000 * peer:.0f})\n"
        f"         extraction {ms(sums + extraction)} ms/utt"
        f" (peer {1000 * peer_extraction:.0f})\n"
        f"         M-step {m_step:.1f} s, U {build:.1f} s;"
        f" peak {e_peak:.2f} GB in the E-step, {all_peak:.2f} GB after the M-step"
    )


def draw_utterances(num_utts: int, rank: int) -> tuple[FullGmm, list[Batch], Totals]:
    """Draw statistics of a model with 64 Gaussians of 20 dimensions."""
    rng = np.random.default_rng(0)
    num_gauss, dim = 64, 20
    means = 2 * rng.standard_normal((num_gauss, dim))
    decay = np.arange(1, rank + 1) ** -0.5  # few directions matter most, as in speech
    t = decay * rng.standard_normal((num_gauss, dim, rank)) / 4
    n = rng.poisson(rng.gamma(1.0, 3.0, (num_utts, num_gauss)))
    centers = means + np.einsum("gdr,ur->ugd", t, rng.standard_normal((num_utts, rank)))
    f = n[:, :, None] * centers
    f += np.sqrt(n)[:, :, None] * rng.standard_normal(f.shape)
    # Within an utterance and Gaussian, n - 1 times the unit covariance is left.
    s = np.einsum("ugd,uge->gde", f / np.maximum(n, 1)[:, :, None], f)
    s += (np.maximum(n, 1) - 1).sum(0)[:, None, None] * np.eye(dim)
    total = n.sum(0)
    mean = f.sum(0) / total[:, None]
    covars = s / total[:, None, None] - mean[:, :, None] * mean[:, None]
    ubm = FullGmm.of(total / total.sum(), mean, covars)
    n, f = torch.from_numpy(n).float(), torch.from_numpy(f).float()
    totals = Totals(num_utts, n.double().sum(0), f.double().sum(0), torch.from_numpy(s))
    batches = [(n[i : i + 256], f[i : i + 256]) for i in range(0, num_utts, 256)]
    return ubm, batches, totals


def compare() -> None:
    """Print how precisions and starts compare: rows P8 and P10."""
    drawn = draw_utterances(1000, 60)
    fitted = {
        precision: IvectorExtractor(61, 10, precision=precision).fit(*drawn)
        for precision in ("float32", "float64")
    }
    means = [
        torch.cat([x.posterior().mean(*batch).double().clone() for batch in drawn[1]])
        for x in fitted.values()
    ]
    loglikes = [x.loglikes_[-1] for x in fitted.values()]
    print(
        "P8  float32 beside float64 after 10 iterations: least cosine"
        f" {torch.cosine_similarity(*means).min():.8f}, objective"
        f" {abs(loglikes[0] / loglikes[1] - 1):.1e} apart"
    )
    random = IvectorExtractor(61, 11, init="random").fit(*drawn).loglikes_[10]
    pca = IvectorExtractor(61, 11).fit(*drawn).loglikes_
    print(
        f"P10 a random start's objective after 10 iterations, {random:.4f}, is reached"
        f" after {np.argmax(pca >= random)} from principal components"
    )


def time_bob(shape: tuple[int, int, int]) -> None:
    """Print what bob.learn.em takes for an E-step of diagonal covariances: row P7."""
    try:
        from bob.learn.em import GMMMachine, GMMStats, IVectorMachine
    except ImportError:
        print(f"P7  {BOB}")
        return
    num_gauss, dim, rank = shape
    extractor = draw_extractor(shape, "float64")
    ubm = GMMMachine(num_gauss)
    ubm.means, ubm.variances = np.zeros((num_gauss, dim)), np.ones((num_gauss, dim))
    machine = IVectorMachine(ubm=ubm, dim_t=rank)
    machine.T, machine.sigma = extractor.m_, np.ones((num_gauss, dim))
    n, f = first_order(*draw_frames(num_gauss, dim))
    utts = []
    for n_u, f_u in zip(n[:2].numpy(), f[:2].numpy(), strict=True):
        utts.append(GMMStats(num_gauss, dim))
        utts[-1].n, utts[-1].sum_px, utts[-1].t = n_u, f_u, FRAMES
        utts[-1].sum_pxx = f_u**2
    seconds = cpu_time(lambda: machine.e_step(utts), 1) / len(utts)
    print(f"P7  bob.learn.em, diagonal, {1000 * seconds:.0f} ms/utt at {shape}")


def main() -> None:
    """Print the figures of every model."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--shape", help="G,D,R of one model only")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.child:
        numbers = tuple(int(x) for x in args.shape.split(","))
        measure(numbers, args.child, args.rounds)
        return
    print(f"{KALDI}, in ms/utt at 2048,72,400")
    for shape in [args.shape] if args.shape else SHAPES:
        print(f"G,D,R = {shape}", flush=True)
        for precision in ("float32", "float64"):
            command = [sys.executable, __file__, "--shape", shape, "--child", precision]
            subprocess.run([*command, f"--rounds={args.rounds}"], check=True)
    time_bob((512, 60, 200))
    compare()


if __name__ == "__main__":
    main()
