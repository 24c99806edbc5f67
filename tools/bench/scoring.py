"""Time scoring and metrics beside what people use: rows S1 to S4.

    python tools/bench/scoring.py                 all rows, 1 M trials, 25 M scores
    python tools/bench/scoring.py --rounds 5 S1   one row

Both sides alternate, each in a child process with one thread, and CPU time counts,
which other programs on the machine disturb less than the clock; a ratio is the median
over the rounds of theirs by ours.  The peers are written here after what the named
tools do, file formats included; their loops over trials run on a part of the trials
and are scaled up.  With scikit-learn installed, its own functions are what they call.
S2's peer is Kaldi's arithmetic in a numpy loop: where Kaldi's binaries are, compare
with ivector-plda-scoring instead (6.4 core-s for the same trials, performance.md).

Found on a busy core (2026-11-26, torch 2.11.0, numpy 2.4.6): S1 245x (2.7 s and 668 s).
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
from asdkit.base.blas import choose_kernels

choose_kernels()

# ruff: noqa: E402
import numpy as np

from asdkit import __main__ as command
from asdkit.backends.cosine import Cosine
from asdkit.backends.pipeline import Pipeline
from asdkit.backends.plda import Plda
from asdkit.io.ark import ArkWriter
from asdkit.io.store import load_arrays, save_arrays
from asdkit.io.trials import (
    Trials,
    match_scores,
    read_scores,
    read_trials,
    write_scores,
    write_trials,
)
from asdkit.io.vectors import read_vectors
from asdkit.metrics.dcf import min_dcf
from asdkit.metrics.det import ascending
from asdkit.metrics.eer import eer

try:
    from sklearn.metrics import roc_curve
    from sklearn.metrics.pairwise import cosine_similarity
except ImportError:
    roc_curve = cosine_similarity = None

NUM_UTTS, DIM = 5000, 200
PART = 50  # loops over trials run on one trial of so many


def time_of(side: Callable[[], object]) -> float:
    """Run something in a child with a fresh heap; return its CPU time in seconds."""
    receive, send = multiprocessing.Pipe(duplex=False)

    def run() -> None:
        start = time.process_time()
        side()
        send.send(time.process_time() - start)

    child = multiprocessing.get_context("fork").Process(target=run)
    child.start()
    child.join()
    return receive.recv() if child.exitcode == 0 else sys.exit("a side failed")


def compare(
    name: str,
    ours: Callable[[], object],
    theirs: Callable[[], object],
    rounds: int,
    scale: int = 1,
) -> None:
    """Run both sides in turn; print the median ratio and all times."""
    times = []
    for _ in range(rounds):
        pair = []
        for side in (ours, theirs):
            pair.append(time_of(side))
        times.append((pair[0], pair[1] * scale))
    ratio = statistics.median(b / a for a, b in times)
    shown = ["/".join(f"{t:.2f}" for t in side) for side in zip(*times, strict=True)]
    print(f"{name}: {ratio:.1f}x   ours {shown[0]} s, theirs {shown[1]} s", flush=True)


def write_inputs(folder: Path, num_trials: int, rng: np.random.Generator) -> None:
    """Write vectors, back-ends and trials with ids as long as VoxCeleb's."""
    utts = [f"id1{i // 20:04d}/abcdefghijk/{i % 20:05d}.wav" for i in range(NUM_UTTS)]
    x = rng.normal(size=(NUM_UTTS, DIM)) + np.repeat(
        rng.normal(size=(NUM_UTTS // 20, DIM)), 20, axis=0
    )
    with ArkWriter(folder, "vectors") as writer:
        for utt, vector in zip(utts, x, strict=True):
            writer[utt] = vector
    cosine = Pipeline([Cosine()])
    save_arrays(folder / "cosine.npz", "Pipeline", *cosine.to_state())
    plda = Plda(num_iters=2).fit(x, np.arange(NUM_UTTS) // 20)
    save_arrays(folder / "plda.npz", "Pipeline", *Pipeline([plda]).to_state())
    enroll, test = rng.integers(0, NUM_UTTS, (2, num_trials))
    same = enroll // 20 == test // 20
    write_trials(folder / "trials", Trials(utts, utts, enroll, test, same))
    lines = (folder / "trials").read_text().splitlines(keepends=True)
    (folder / "part").write_text("".join(lines[: num_trials // PART]))


def score_ours(folder: Path, backend: str) -> None:
    """Score with the program, in this process."""
    inputs = [folder / f"{backend}.npz", folder / "trials", f"scp:{folder}/vectors.scp"]
    arguments = ["--log-level", "WARNING", *map(str, inputs), str(folder / "scores")]
    assert command.main(["backend-score", *arguments]) == 0


def score_one_by_one(
    folder: Path,
    vectors: dict[str, np.ndarray],
    score: Callable[[np.ndarray, np.ndarray], float],
) -> None:
    """Score a part of the trials in a loop, as WeSpeaker's score.py does."""
    with open(folder / "part") as trials, open(folder / "slow", "w") as scores:
        for line in trials:
            enroll, test, _ = line.split()
            value = score(vectors[enroll], vectors[test])
            scores.write(f"{enroll} {test} {value:.5f}\n")


def cosine_of_two(a: np.ndarray, b: np.ndarray) -> float:
    """Compare two vectors, through scikit-learn if it is there."""
    if cosine_similarity is not None:
        return cosine_similarity(a.reshape(1, -1), b.reshape(1, -1))[0][0]
    return a @ b / (np.linalg.norm(a) * np.linalg.norm(b))


def bench_cosine(folder: Path, args: argparse.Namespace) -> None:
    """S1: cosine trials, files in and out."""
    _, keys, x = read_vectors(f"scp:{folder}/vectors.scp")
    vectors = dict(zip(keys, x, strict=True))
    compare(
        f"S1 {args.num_trials} cosine trials with files, WeSpeaker's loop in "
        + ("scikit-learn" if cosine_similarity else "numpy"),
        lambda: score_ours(folder, "cosine"),
        lambda: score_one_by_one(folder, vectors, cosine_of_two),
        args.rounds,
        PART,
    )


def bench_plda(folder: Path, args: argparse.Namespace) -> None:
    """S2: PLDA trials, text in and out."""
    plda = Pipeline.from_state(*load_arrays(folder / "plda.npz", "Pipeline")).steps[0]
    _, keys, x = read_vectors(f"scp:{folder}/vectors.scp")
    vectors = dict(zip(keys, plda.transform(x), strict=True))
    psi = plda.psi_
    mean_scale, variance = psi / (psi + 1), 1 + psi / (psi + 1)
    inverse, inverse_total = 1 / variance, 1 / (1 + psi)
    constant = np.log(variance).sum() - np.log(1 + psi).sum()

    def log_ratio(a: np.ndarray, b: np.ndarray) -> float:
        within = (b - mean_scale * a) ** 2 @ inverse
        return 0.5 * (b**2 @ inverse_total - within - constant)

    compare(
        f"S2 {args.num_trials} PLDA trials with files, numpy loop",
        lambda: score_ours(folder, "plda"),
        lambda: score_one_by_one(folder, vectors, log_ratio),
        args.rounds,
        PART,
    )


def metrics_of_roc(target: np.ndarray, nontarget: np.ndarray) -> tuple[float, float]:
    """Compute EER and minDCF from a ROC curve over all trials."""
    scores = np.concatenate([target, nontarget])
    labels = np.repeat([1, 0], [len(target), len(nontarget)])
    if roc_curve is not None:
        fa, hits, _ = roc_curve(labels, scores)
    else:
        order = np.argsort(scores, kind="mergesort")[::-1]
        hits = np.cumsum(labels[order]) / len(target)
        fa = np.cumsum(1 - labels[order]) / len(nontarget)
    nearest = np.nanargmin(np.abs(1 - hits - fa))
    cost = np.min(0.01 * (1 - hits) + 0.99 * fa) / 0.01
    return (1 - hits[nearest] + fa[nearest]) / 2, cost


def bench_metrics(folder: Path, args: argparse.Namespace) -> None:
    """S3: EER and minDCF of scores in memory."""
    rng = np.random.default_rng(1)
    target = rng.normal(2, 1, args.num_scores // 25).astype(np.float32)
    nontarget = rng.normal(0, 1, args.num_scores - len(target)).astype(np.float32)

    def ours() -> tuple[float, float]:
        a, b = ascending(target, "target"), ascending(nontarget, "nontarget")
        return eer(a, b), min_dcf(a, b)

    def theirs() -> tuple[float, float]:
        return metrics_of_roc(target, nontarget)

    np.testing.assert_allclose(ours(), theirs(), rtol=1e-5)
    tool = "sklearn.roc_curve" if roc_curve else "argsort and cumsum"
    compare(
        f"S3 EER, minDCF of {args.num_scores} scores, {tool}", ours, theirs, args.rounds
    )


def metrics_in_python(trials: Path, scores: Path) -> None:
    """Compute minDCF step by step as Kaldi's compute_min_dcf.py does, and EER."""
    keys = {}
    for line in trials.open():
        enroll, test, key = line.rstrip().split()
        keys[f"{enroll} {test}"] = key == "target"
    values, labels = [], []
    for line in scores.open():
        enroll, test, score = line.rstrip().split()
        values.append(float(score))
        labels.append(keys[f"{enroll} {test}"])
    order = [i for i, _ in sorted(enumerate(values), key=lambda pair: pair[1])]
    labels = [labels[i] for i in order]
    misses, rejected = [], []
    for i, label in enumerate(labels):
        misses.append((misses[i - 1] if i else 0) + label)
        rejected.append((rejected[i - 1] if i else 0) + 1 - label)
    num_targets = sum(labels)
    num_nontargets = len(labels) - num_targets
    miss_rates = [miss / num_targets for miss in misses]
    fa_rates = [1 - count / num_nontargets for count in rejected]
    least, nearest = 1.0, 1.0
    for i in range(len(labels)):
        cost = 0.01 * miss_rates[i] + 0.99 * fa_rates[i]
        if cost < least:
            least = cost
        if abs(miss_rates[i] - fa_rates[i]) < nearest:
            nearest = abs(miss_rates[i] - fa_rates[i])


def bench_files(folder: Path, args: argparse.Namespace) -> None:
    """S4: EER and minDCF from files."""
    trials = read_trials(folder / "trials")
    chance = np.random.default_rng(2).normal(size=len(trials))
    write_scores(folder / "scores", trials, chance + 2 * trials.is_target)
    paths = folder / "trials", folder / "scores"

    def ours() -> None:
        trials, scores = read_trials(paths[0]), read_scores(paths[1])
        values = match_scores(trials, scores, *paths)
        classes = values[trials.is_target], values[~trials.is_target]
        eer(*classes), min_dcf(*classes)

    compare(
        f"S4 EER and minDCF of {args.num_trials} lines, compute_min_dcf.py's way",
        ours,
        lambda: metrics_in_python(*paths),
        args.rounds,
    )


ROWS = {
    "S1": bench_cosine,
    "S2": bench_plda,
    "S3": bench_metrics,
    "S4": bench_files,
}


def main() -> None:
    """Run the rows that were asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3, help="alternations")
    parser.add_argument("--num-trials", type=int, default=1_000_000, help="S1, S2, S4")
    parser.add_argument("--num-scores", type=int, default=25_000_000, help="S3")
    parser.add_argument("rows", nargs="*", default=list(ROWS), help="default: all")
    args = parser.parse_args()
    print(f"python {sys.version.split()[0]}, numpy {np.__version__}, one thread")
    with tempfile.TemporaryDirectory() as folder:
        write_inputs(Path(folder), args.num_trials, np.random.default_rng(0))
        for row in args.rows:
            ROWS[row](Path(folder), args)


if __name__ == "__main__":
    main()
