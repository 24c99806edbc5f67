"""Time AS-norm beside its plain NumPy definition, and check that both agree: row S5.

    python tools/bench/normalization.py               5,000 x 6,000, 256-d, top 300
    python tools/bench/normalization.py --num-utts 100000 --rounds 1

Statistics of both sides of 100,000 trials.  Two peers, in float32 as their files are:
"sort" is what WeSpeaker's score_norm.py computes, a GEMM and a full sort for each side;
"partition" the same with np.partition, the plainest fast form.  Normalized scores must
equal those of the first in float64 to 1e-6 of their size (of 1, if they are smaller).
The memory is what each side adds to the peak of the process: ours works in tiles, the
peers hold all scores.

Found on a busy core (2026-11-26, numpy 2.4.6), one round: 1.9x of "sort", 1.1x of
"partition", 12 MiB beside 237; equal to 5.9e-7.  The program score-normalize, 100,000
embeddings of 256 against 6,000 and a million trials, took 16 s of CPU and 923 MiB.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
from asdkit.base.blas import choose_kernels

choose_kernels()

# ruff: noqa: E402
import numpy as np

from asdkit.backends.cosine import Cosine
from asdkit.backends.normalization import CohortStats, cohort_stats, normalize_scores
from asdkit.backends.pipeline import Pipeline

Side = Callable[[np.ndarray, np.ndarray, int], tuple[np.ndarray, np.ndarray]]


def ours(x: np.ndarray, cohort: np.ndarray, num_top: int) -> CohortStats:
    """Call the library."""
    return cohort_stats(Pipeline([Cosine()]), x, np.ones(len(x)), cohort, num_top)


def sort_all(
    x: np.ndarray, cohort: np.ndarray, num_top: int
) -> tuple[np.ndarray, np.ndarray]:
    """Normalize lengths, multiply, sort, average."""
    x = x / np.linalg.norm(x, axis=1, keepdims=True)
    cohort = cohort / np.linalg.norm(cohort, axis=1, keepdims=True)
    scores = np.sort(x @ cohort.T, axis=1)[:, ::-1][:, :num_top]
    return scores.mean(axis=1), scores.std(axis=1)


def partition_all(
    x: np.ndarray, cohort: np.ndarray, num_top: int
) -> tuple[np.ndarray, np.ndarray]:
    """Do the same with a partition instead of the sort."""
    x = x / np.linalg.norm(x, axis=1, keepdims=True)
    cohort = cohort / np.linalg.norm(cohort, axis=1, keepdims=True)
    scores = np.partition(x @ cohort.T, -num_top, axis=1)[:, -num_top:]
    return scores.mean(axis=1), scores.std(axis=1)


def measure(
    side: Side, x: np.ndarray, cohort: np.ndarray, num_top: int
) -> tuple[float, float]:
    """Run one side in a child: its CPU seconds, and the MiB it adds to the peak."""
    receive, send = multiprocessing.Pipe(duplex=False)

    def run() -> None:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        start = time.process_time()
        side(x, cohort, num_top)
        spent = time.process_time() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        send.send((spent, (peak - before) / 1024))

    child = multiprocessing.get_context("fork").Process(target=run)
    child.start()
    child.join()
    return receive.recv() if child.exitcode == 0 else sys.exit("a side failed")


def check(x: np.ndarray, cohort: np.ndarray, num_top: int) -> float:
    """Return the largest difference to the definition's, relative to max(1, |it|)."""
    rng = np.random.default_rng(1)
    enroll, test = rng.integers(0, len(x), (2, 100_000))
    unit = x / np.linalg.norm(x.astype(np.float64), axis=1, keepdims=True)
    values = np.einsum("nd,nd->n", unit[enroll], unit[test])
    mean, std = sort_all(x.astype(np.float64), cohort.astype(np.float64), num_top)
    z, t = ((values - mean[i]) / std[i] for i in (enroll, test))
    stats = ours(x, cohort, num_top)
    sides = (CohortStats(stats.mean[i], stats.std[i]) for i in (enroll, test))
    expected = 0.5 * (z + t)
    difference = np.abs(normalize_scores(values, *sides) - expected)
    return float((difference / np.maximum(1, np.abs(expected))).max())


def main() -> None:
    """Compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--num-utts", type=int, default=5000, help="U")
    parser.add_argument("--cohort", type=int, default=6000, help="K")
    parser.add_argument("--dim", type=int, default=256, help="D")
    parser.add_argument("--num-top", type=int, default=300, help="scores that count")
    parser.add_argument("--rounds", type=int, default=5, help="alternations")
    args = parser.parse_args()
    rng = np.random.default_rng(0)
    x = rng.normal(size=(args.num_utts, args.dim)).astype(np.float32)
    cohort = rng.normal(size=(args.cohort, args.dim)).astype(np.float32)
    if args.num_utts <= 10_000:
        difference = check(x, cohort, args.num_top)
        print(f"largest relative difference of normalized scores: {difference:.2g}")
        assert difference < 1e-6
    sides: dict[str, Side] = {
        "ours": ours,
        "sort": sort_all,
        "partition": partition_all,
    }
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
    for _ in range(args.rounds):
        for name, side in sides.items():
            found[name].append(measure(side, x, cohort, args.num_top))
    for name, runs in found.items():
        pairs = zip(runs, found["ours"], strict=True)
        ratio = statistics.median(theirs[0] / mine[0] for theirs, mine in pairs)
        times = "/".join(f"{spent:.2f}" for spent, _ in runs)
        print(f"S5 {name:9}: {ratio:.2f}x  {times} s, + {runs[0][1]:.0f} MiB")


if __name__ == "__main__":
    main()
