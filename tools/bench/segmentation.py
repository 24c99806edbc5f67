"""Time decoding an hour of two-class scores beside a NumPy Viterbi: both must agree.

    .venv-k2/bin/python tools/bench/segmentation.py               one hour at 100 Hz
    .venv-k2/bin/python tools/bench/segmentation.py --min-frames 50 --hours 4

One core; "cpu s" is what a side needs of it, where others use it, too.  Scores are
log-posteriors of speech and pauses of 1.8 s on average; 16 % of single frames would be
decided wrongly.  "viterbi" is the plain recursion, NumPy operations over all states
for each frame; "pruned" searches with a beam.  The memory is what each adds to the
peak of a process of its own.  The goal: an hour in 2 s and 1 GB.

Found on a busy core (2026-11-26, torch 1.13.1, k2 1.23.4), one round, an hour: 0.90 s
of CPU and 42 MB, 1.75 s with a beam, Viterbi 6.3 s; all paths the same.  The clock said
2.4, 3.4 and 17 s, with six processes on two cores.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import statistics
import time
from collections.abc import Callable

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import torch

from asdkit.segmentation.fsa import Segmenter, Topology

BEAM = 30.0


def ours(loglikes: np.ndarray, topology: Topology) -> np.ndarray:
    """Call the library."""
    return Segmenter(topology).best_paths([torch.from_numpy(loglikes)])[0].numpy()


def pruned(loglikes: np.ndarray, topology: Topology) -> np.ndarray:
    """Call the library, and give up on the way what falls behind."""
    segmenter = Segmenter(topology, search_beam=BEAM)
    return segmenter.best_paths([torch.from_numpy(loglikes)])[0].numpy()


def viterbi(loglikes: np.ndarray, topology: Topology) -> np.ndarray:
    """Find the best path state by state and frame by frame: (T, K) -> (T,).

    State i of a class has seen i + 1 frames of its segment, the last state all that
    its segment needs.  A state is reached from the one before it; the first from the
    other class, the last from itself.
    """
    length = topology.min_frames
    first = np.concatenate([[0], np.cumsum(length)[:-1]])
    last = first + length - 1
    classes = np.repeat(np.arange(2), length)
    stay = topology.stay[classes]
    change = topology.change[[1, 0], [0, 1]]  # into class 0, into class 1
    score = np.full(len(classes), -np.inf)
    score[last] = loglikes[0]
    back = np.empty((len(loglikes), len(classes)), np.int16)
    states = np.arange(len(classes), dtype=np.int16)
    for t in range(1, len(loglikes)):
        moved = np.empty_like(score)
        moved[1:] = score[:-1] - stay[:-1]
        came = states - 1
        entered = score[last[::-1]] - change
        short = first == last
        moved[first], came[first] = entered, last[::-1]
        looped = score[last] - topology.stay
        better = looped > np.where(short, entered, moved[last])
        moved[last] = np.where(better, looped, moved[last])
        came[last] = np.where(better, last, came[last])
        score = moved + loglikes[t, classes]
        back[t] = came
    path = np.empty(len(loglikes), np.int64)
    state = int(score.argmax())
    for t in range(len(loglikes) - 1, -1, -1):
        path[t] = classes[state]
        state = int(back[t, state])
    return path


SIDES: dict[str, Callable[[np.ndarray, Topology], np.ndarray]] = {
    "asdkit": ours,
    "pruned": pruned,
    "viterbi": viterbi,
}


def draw(num_frames: int, min_frames: int) -> np.ndarray:
    """Draw the log-posteriors of speech that comes and goes: (T, 2) float32."""
    rng = np.random.default_rng(0)
    lengths = min_frames + rng.exponential(150, num_frames // 100).astype(int)
    truth = np.repeat(np.arange(len(lengths)) % 2, lengths)[:num_frames]
    odds = 4 * (truth - 0.5) + 2 * rng.standard_normal(len(truth))
    both = [-np.logaddexp(0, odds), -np.logaddexp(0, -odds)]
    return np.stack(both, axis=1).astype(np.float32)


def path_score(path: np.ndarray, loglikes: np.ndarray, topology: Topology) -> float:
    """Sum up what a path is worth; the costs of staying are zero here."""
    own = loglikes[np.arange(len(path)), path].sum(dtype=np.float64)
    before, after = path[:-1], path[1:]
    changes = before != after
    return float(own - topology.change[before[changes], after[changes]].sum())


def measure(
    side: str, loglikes: np.ndarray, topology: Topology, rounds: int
) -> tuple[np.ndarray, float, float, float]:
    """Return the path, medians of seconds and CPU seconds, and the memory in MB."""
    torch.set_num_threads(1)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    walls, cpus = [], []
    for _ in range(rounds):
        wall, cpu = time.perf_counter(), time.process_time()
        path = SIDES[side](loglikes, topology)
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    return path, statistics.median(walls), statistics.median(cpus), memory


def main() -> None:
    """Measure each side in a process of its own, and compare the paths."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--min-frames", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    loglikes = draw(round(360_000 * args.hours), args.min_frames)
    topology = Topology([args.min_frames] * 2, enter=[3.0, 3.0])
    reference = None
    print(f"{len(loglikes)} frames, segments of at least {args.min_frames}")
    print(f"{'side':8} {'s':>7} {'cpu s':>7} {'MB':>6} {'score':>13} differ")
    for side in ("viterbi", "asdkit", "pruned"):
        rounds = 1 if side == "viterbi" else args.rounds
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            path, wall, cpu, memory = pool.apply(
                measure, (side, loglikes, topology, rounds)
            )
        reference = path if reference is None else reference
        differ = np.count_nonzero(path != reference)
        score = path_score(path, loglikes, topology)
        print(
            f"{side:8} {wall:7.3f} {cpu:7.3f} {memory:6.0f} {score:13.3f} {differ:6d}"
        )


if __name__ == "__main__":
    main()
