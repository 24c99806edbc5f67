"""Time a training step through our loop beside a bare PyTorch loop: rows T1 and T2.

    python tools/bench/training.py               both, resnet34, 16 x 200 frames
    python tools/bench/training.py --steps 3 T1

T1 takes random tensors on both sides.  In T2 ours reads stored features of a data
directory through `asdkit.training.training_set`, as nnet-train does; the bare loop has
the same random tensor again and again.  Both sides have the same network, loss and
optimizer.  They alternate, round by round, and CPU time counts, which other programs
on the machine disturb less than the clock; a ratio is ours by theirs, the median over
the rounds.  One checkpoint per round, as at the end of an epoch, is told apart.

Found on a busy core (2026-11-26, torch 2.11.0), --batch-size 8 --rounds 2 --steps 3: T1
0.99x, T2 1.00x (3.5 s a step).
"""

from __future__ import annotations

import argparse
import logging
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
from asdkit.base.blas import choose_kernels

choose_kernels()

# ruff: noqa: E402
import numpy as np
import torch

from asdkit.batches.batches import Batch
from asdkit.data.manifests import Utterance, write_utterances
from asdkit.io.ark import ArkWriter
from asdkit.io.tables import read_table, write_table
from asdkit.losses.classification import AamSoftmax
from asdkit.losses.objective import Labels
from asdkit.nnet.registry import build
from asdkit.training.loop import Batches, Training
from asdkit.training.training_set import TrainingSetReader

NUM_SPKS, DIM, FRAMES = 100, 80, 200


class RandomBatches:
    """The same random tensors at every step."""

    def __init__(self, batch_size: int, steps_per_epoch: int) -> None:
        self.steps_per_epoch = steps_per_epoch
        self.batch = Batch(
            [f"utt{n}" for n in range(batch_size)],
            torch.randn(batch_size, FRAMES, DIM),
            torch.full((batch_size,), FRAMES),
            torch.randint(0, NUM_SPKS, (batch_size,)),
        )

    def from_step(self, step: int) -> Iterator[tuple[int, Batch]]:
        """Yield steps and batches."""
        while True:
            yield step, self.batch
            step += 1


class Timed:
    """Batches that note the CPU time at which they are asked for."""

    def __init__(self, batches: Batches, steps: int) -> None:
        self.batches = batches
        self.steps_per_epoch = steps
        self.times: list[float] = []

    def from_step(self, step: int) -> Iterator[tuple[int, Batch]]:
        """Yield steps and batches; the time is noted before one is made."""
        made = self.batches.from_step(step)
        while True:
            self.times.append(time.process_time())
            yield next(made)


def model(name: str) -> tuple[torch.nn.Module, AamSoftmax]:
    """Build the network and its loss."""
    torch.manual_seed(0)
    network = build(name, feat_dim=DIM)
    return network, AamSoftmax(network.embedding_dim, NUM_SPKS)


def ours(name: str, batches: Batches, steps: int) -> list[float]:
    """Train through the loop; return the CPU seconds of every step."""
    network, loss = model(name)
    timed = Timed(batches, steps)
    with tempfile.TemporaryDirectory() as directory:
        # Times between requests: the last step is followed by none, so one more.
        Training(num_epochs=1, averaging="none", channels_last=False).fit(
            network, Labels(loss), timed, directory, {}
        )
        end = time.process_time()
    last = end - timed.times[-1]
    seconds = np.diff(timed.times).tolist()
    print(f"      last step with its checkpoint: {last:.3f} s", flush=True)
    return seconds


def bare(name: str, batch_size: int, steps: int) -> list[float]:
    """Train as PyTorch's tutorial does; return the CPU seconds of every step."""
    network, loss = model(name)
    parameters = [*network.parameters(), *loss.parameters()]
    optimizer = torch.optim.SGD(
        parameters, 0.1, momentum=0.9, nesterov=True, weight_decay=1e-4
    )
    feats = torch.randn(batch_size, FRAMES, DIM)
    labels = torch.randint(0, NUM_SPKS, (batch_size,))
    network.train()
    times = [time.process_time()]
    for _ in range(steps - 1):
        optimizer.zero_grad()
        loss(network(feats), labels).backward()
        optimizer.step()
        times.append(time.process_time())
    return np.diff(times).tolist()


def write_data(directory: Path, num_utts: int = 400) -> Path:
    """Write a data directory with features of four-second utterances."""
    rng = np.random.default_rng(0)
    data = directory / "train"
    utts = [f"spk{n % NUM_SPKS:03}-{n:05}" for n in range(num_utts)]
    write_utterances(
        data,
        [
            Utterance(utt, utt[:6], f"{utt}.wav", False, 0.0, 4.0, 0, 16000, None)
            for utt in utts
        ],
    )
    with ArkWriter(directory / "feats", "feats") as writer:
        for utt in utts:
            writer[utt] = rng.standard_normal((400, DIM), np.float32)
    write_table(data / "feats.scp", read_table(writer.scp))
    write_table(data / "utt2num_frames", dict.fromkeys(utts, 400))
    return data


def main() -> None:
    """Run the rows that were asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--network", default="resnet34", help="of both sides")
    parser.add_argument("--batch-size", type=int, default=16, help="chunks")
    parser.add_argument("--steps", type=int, default=5, help="in a round")
    parser.add_argument("--rounds", type=int, default=3, help="alternations")
    parser.add_argument("rows", nargs="*", default=["T1", "T2"], help="default: both")
    args = parser.parse_args()
    logging.disable()
    print(f"python {sys.version.split()[0]}, torch {torch.__version__}, ", end="")
    print(f"{torch.get_num_threads()} threads, {args.network}")
    with tempfile.TemporaryDirectory() as folder:
        data = write_data(Path(folder)) if "T2" in args.rows else None
        sources: dict[str, Batches] = {"T1": RandomBatches(args.batch_size, args.steps)}
        if data:
            sources["T2"] = (
                TrainingSetReader(batch_size=args.batch_size).read(data).batches
            )
        for row in args.rows:
            ratios = []
            for _ in range(args.rounds):
                mine = statistics.median(ours(args.network, sources[row], args.steps))
                plain = statistics.median(
                    bare(args.network, args.batch_size, args.steps)
                )
                ratios.append(mine / plain)
                print(f"      ours {mine:.3f} s, bare {plain:.3f} s a step", flush=True)
            print(f"{row}  {statistics.median(ratios):.3f}x of a bare loop", flush=True)


if __name__ == "__main__":
    main()
