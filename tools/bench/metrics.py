"""Time the metrics of countermeasures and tandems on large score lists.

    python tools/bench/metrics.py                          10 M scores
    python tools/bench/metrics.py --num-scores 1000000 M4  one row

Every row runs in a child process of its own with one thread; CPU time counts, and the
peak memory above that of the inputs.  Beside three rows stands the way of ASVspoof's
evaluation packages, written here after what they do: M1 ranks all scores by argsort and
looks at every threshold, M2 loops over trials in Python (on a part, scaled up), M3
compares all thresholds of one system with all of the other (on a part, as quadratic as
it is, scaled up; the packages' faster way skips thresholds and is not exact).  M4 and
M5 have no such side.

On one core of an AMD EPYC, busy with something else, 2026-11-27, of 10 M scores each:

    M1 EER and min t-DCF                0.45 s    0.12 GB    11x
    M2 a-DCF                            0.25 s    0.11 GB    20x
    M3 concurrent t-EER                 3.27 s    0.41 GB    98,000x
    M4 110 draws of two systems        78.1  s    1.39 GB
    M5 score-metrics, 1 M lines         2.39 s    0.34 GB
"""

from __future__ import annotations

import argparse
import contextlib
import io
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from asdkit import __main__ as command
from asdkit.io.cm_scores import write_cm_scores
from asdkit.metrics import weighted
from asdkit.metrics.bootstrap import Speakers, replicate
from asdkit.metrics.det import ascending
from asdkit.metrics.eer import eer
from asdkit.metrics.sasv import a_dcf
from asdkit.metrics.tdcf import asv_rates, min_tdcf_2021, tandem_weights
from asdkit.metrics.teer import concurrent_teer

NUM_SPEAKERS = 400  # as in ASVspoof 5's training part


class Inputs(NamedTuple):
    """Scores of a countermeasure and of an ASV system."""

    bonafide: np.ndarray
    spoof: np.ndarray
    target: np.ndarray
    nontarget: np.ndarray
    asv_spoof: np.ndarray


def draw(num_scores: int) -> Inputs:
    """Draw as many scores for either system."""
    rng = np.random.default_rng(0)
    fifth, tenth = num_scores // 5, num_scores // 10
    return Inputs(
        rng.normal(2, 1, fifth),
        rng.normal(-1, 1.5, num_scores - fifth),
        rng.normal(3, 1, tenth),
        rng.normal(-1, 1, 5 * tenth),
        rng.normal(1.5, 1.2, num_scores - 6 * tenth),
    )


def cost_of(side: Callable[[], object]) -> tuple[float, float]:
    """Run something in a child; return its CPU seconds and GB of memory on top."""
    receive, send = multiprocessing.Pipe(duplex=False)

    def run() -> None:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        start = time.process_time()
        side()
        seconds = time.process_time() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        send.send((seconds, (peak - before) / 1e6))

    child = multiprocessing.get_context("fork").Process(target=run)
    child.start()
    child.join()
    return receive.recv() if child.exitcode == 0 else sys.exit("a side failed")


def show(
    name: str,
    ours: Callable[[], object],
    theirs: Callable[[], object] | None = None,
    scale: float = 1.0,
) -> None:
    """Run a row and print it."""
    seconds, memory = cost_of(ours)
    line = f"{name}: {seconds:.2f} s, {memory:.2f} GB"
    if theirs is not None:
        other = cost_of(theirs)[0] * scale
        line += f"; the packages' way {other:.2f} s, {other / seconds:.0f}x"
    print(line, flush=True)


def ours_eer_tdcf(x: Inputs) -> tuple[float, float]:
    """Compute the EER and the min t-DCF from unsorted scores."""
    weights = tandem_weights(asv_rates(x.target, x.nontarget, x.asv_spoof))
    bonafide, spoof = ascending(x.bonafide, "bona fide"), ascending(x.spoof, "spoof")
    return eer(bonafide, spoof), min_tdcf_2021(bonafide, spoof, weights)


def det_by_argsort(target: np.ndarray, nontarget: np.ndarray) -> tuple[np.ndarray, ...]:
    """Error rates at every score, as compute_det_curve has them."""
    scores = np.concatenate([target, nontarget])
    order = np.argsort(scores, kind="mergesort")
    is_target = np.repeat([1.0, 0.0], [len(target), len(nontarget)])[order]
    misses = np.cumsum(is_target)
    rejected = np.arange(1, len(scores) + 1) - misses
    miss = np.concatenate([[0], misses / len(target)])
    accepted = np.concatenate([[1], 1 - rejected / len(nontarget)])
    return miss, accepted, scores[order]


def theirs_eer_tdcf(x: Inputs) -> tuple[float, float]:
    """Compute the same from curves over all thresholds."""
    miss, accepted, scores = det_by_argsort(x.target, x.nontarget)
    threshold = scores[np.argmin(np.abs(miss - accepted)) - 1]
    c0 = 0.9405 * np.mean(x.target < threshold)
    c0 += 0.095 * np.mean(x.nontarget >= threshold)
    c1, c2 = 0.9405 - c0, 0.5 * np.mean(x.asv_spoof >= threshold)
    miss, accepted, _ = det_by_argsort(x.bonafide, x.spoof)
    at = np.argmin(np.abs(miss - accepted))
    cost = np.min(c0 + c1 * miss + c2 * accepted) / (c0 + min(c1, c2))
    return (miss[at] + accepted[at]) / 2, cost


def theirs_a_dcf(target: np.ndarray, nontarget: np.ndarray, spoof: np.ndarray) -> float:
    """Count errors trial by trial, as a_dcf.py does."""
    scores = np.concatenate([target, nontarget, spoof])
    labels = np.repeat([1, 0, 2], [len(target), len(nontarget), len(spoof)])
    order = np.argsort(scores, kind="mergesort")
    accepted, passed, missed = len(nontarget), len(spoof), 0
    costs = []
    for label in labels[order]:
        if label == 0:
            accepted -= 1
        elif label == 1:
            missed += 1
        else:
            passed -= 1
        cost = 0.9 * missed / len(target) + 0.5 * accepted / len(nontarget)
        costs.append(cost + passed / len(spoof))
    return min(costs) / 0.9


def theirs_teer(x: Inputs) -> float:
    """Try every CM threshold for every ASV threshold, as compute_teer does."""
    miss_cm, fa_cm, _ = det_by_argsort(x.bonafide, x.spoof)
    best, teer = np.inf, np.nan
    thresholds = np.sort(np.concatenate([x.target, x.nontarget, x.asv_spoof]))
    rates = [
        np.searchsorted(np.sort(scores), thresholds, side="right") / len(scores)
        for scores in (x.target, x.nontarget, x.asv_spoof)
    ]
    for miss, rejected, stopped in zip(*rates, strict=True):
        fa_non, fa_spf = 1 - rejected, 1 - stopped
        if miss >= 0.5 * (fa_non + fa_spf):
            continue
        both_miss = miss_cm + (1 - miss_cm) * miss
        both_fa = 0.5 * (1 - miss_cm) * fa_non + 0.5 * fa_cm * fa_spf
        at = np.argmin(np.abs(both_miss - both_fa))
        gap = abs(fa_non / fa_spf - fa_cm[at] / (1 - miss_cm[at]))
        if gap < best:
            best, teer = gap, fa_cm[at] * fa_spf
    return teer


def bench_tandem(num_scores: int) -> None:
    """M1: EER and min t-DCF."""
    x = draw(num_scores)
    np.testing.assert_allclose(ours_eer_tdcf(x), theirs_eer_tdcf(x), rtol=1e-9)
    name = f"M1 EER and min t-DCF, {num_scores} CM and as many ASV scores"
    show(name, lambda: ours_eer_tdcf(x), lambda: theirs_eer_tdcf(x))


def bench_a_dcf(num_scores: int) -> None:
    """M2: a-DCF."""
    x, part = draw(num_scores), draw(max(num_scores // 20, 10))
    np.testing.assert_allclose(a_dcf(*part[2:]), theirs_a_dcf(*part[2:]))
    scale = num_scores / len(np.concatenate(part[2:]))
    show(
        f"M2 a-DCF, {num_scores} scores",
        lambda: a_dcf(*x[2:]),
        lambda: theirs_a_dcf(*part[2:]),
        scale,
    )


def bench_teer(num_scores: int) -> None:
    """M3: the concurrent t-EER."""
    x, part = draw(num_scores), draw(10_000)
    np.testing.assert_allclose(concurrent_teer(*part), theirs_teer(part), rtol=1e-9)
    show(
        f"M3 concurrent t-EER, {num_scores} CM and as many ASV scores",
        lambda: concurrent_teer(*x),
        lambda: theirs_teer(part),
        (num_scores / 10_000) ** 2,
    )


def bench_bootstrap(num_scores: int) -> None:
    """M4: paired intervals."""
    x = draw(num_scores)
    rng = np.random.default_rng(1)
    classes = x.bonafide, x.spoof
    other = [scores + rng.normal(0, 0.1, len(scores)) for scores in classes]
    numbers = [rng.integers(NUM_SPEAKERS, size=len(scores)) for scores in classes]
    weights = tandem_weights(asv_rates(*x[2:]))
    statistics = {
        "EER": weighted.eer,
        "t-DCF": partial(weighted.min_tdcf_2021, weights=weights),
    }
    speakers = [Speakers(number) for number in numbers]
    for count in (10, 110):
        show(
            f"M4 {count} draws, EER and t-DCF of two systems, {num_scores} scores each",
            partial(replicate, [classes, other], speakers, statistics, count),
        )


def bench_files(num_scores: int) -> None:
    """M5: score-metrics, files in, a tenth of the scores."""
    x = draw(num_scores // 10)
    values = np.concatenate([x.bonafide, x.spoof])
    utts = [f"E_{i:010d}" for i in range(len(values))]
    with tempfile.TemporaryDirectory() as folder:
        key, scores = Path(folder) / "utt2attack", Path(folder) / "scores"
        write_cm_scores(scores, utts, values)
        num_bonafide = len(x.bonafide)
        with key.open("w") as stream:
            for i, utt in enumerate(utts):
                attack = "bonafide" if i < num_bonafide else f"A{i % 13:02d}"
                stream.write(f"{utt} {attack}\n")
        options = ["--log-level", "WARNING", "--flavor", "asvspoof5", "--by", "none"]
        arguments = ["score-metrics", *options, str(key), str(scores)]

        def ours() -> None:
            with contextlib.redirect_stdout(io.StringIO()):
                command.main(arguments)

        show(f"M5 score-metrics, {len(utts)} lines", ours)


ROWS = {
    "M1": bench_tandem,
    "M2": bench_a_dcf,
    "M3": bench_teer,
    "M4": bench_bootstrap,
    "M5": bench_files,
}


def main() -> None:
    """Run the rows that were asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--num-scores", type=int, default=10_000_000)
    parser.add_argument("rows", nargs="*", default=list(ROWS), help="default: all")
    args = parser.parse_args()
    print(f"python {sys.version.split()[0]}, numpy {np.__version__}, one thread")
    for row in args.rows:
        ROWS[row](args.num_scores)


if __name__ == "__main__":
    main()
