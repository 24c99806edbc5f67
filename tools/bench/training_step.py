"""Time a training step of a network as asdkit takes it beside the plain one on a CPU.

    python tools/bench/training_step.py              all networks below
    python tools/bench/training_step.py --rounds 5 aasist_l

Plain is the same network in float32, contiguous, with torch's own layers: what a loop
of PyTorch's tutorial does.  Fast is what nnet-train and cm-train do by default, with
channels last where a network is faster so; bf16 is fast with --precision bf16.  The
sides alternate, step by step; CPU time counts, which other programs on the machine
disturb less than the clock.  A ratio is plain by the other, the median over the rounds,
with the smallest and largest.  That values and gradients are equal is tested in
tests/nnet.

Found on one core of a busy two-core Xeon with AMX (2026-12-01, torch 2.11.0, 3 rounds):

    aasist_l, 8 x 16000: plain 2.05 s; fast 1.36x (1.33 to 1.46); bf16 2.26x (2.23
        to 2.68)
    lcnn, 16 x 200: plain 0.46 s; fast 1.50x (1.38 to 1.59); bf16 2.19x (2.10 to
        2.93)
    resnet34, 4 x 200: plain 1.25 s; fast 1.17x (0.99 to 1.19); bf16 2.67x (2.51 to
        2.92)
    resnet18, 8 x 200: plain 0.96 s; fast 1.15x (1.11 to 1.20); bf16 2.38x (2.22 to
        2.72)

ResNet-34 in float32 does 87 GFLOP/s even so (27 GFLOP a chunk, forward and backward);
four fifths of its step and three fifths of AASIST-L's are oneDNN's convolutions.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import os
import statistics
import time
from collections.abc import Iterator
from unittest import mock

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from asdkit.base.memory import keep_freed
from asdkit.losses.classification import CrossEntropy
from asdkit.nnet import aasist, lcnn
from asdkit.nnet.network import Network
from asdkit.nnet.registry import build
from asdkit.nnet.residual import Pointwise

# chunks, frames or samples, feature dimension, options
CASES: dict[str, tuple[int, int, int, dict[str, bool]]] = {
    "resnet34": (4, 200, 80, {}),
    "aasist_l": (8, 16000, 1, {"pre_norm": False}),
    "lcnn": (16, 200, 60, {}),
    "resnet18": (8, 200, 60, {}),
}


@contextlib.contextmanager
def torch_s_own_layers() -> Iterator[None]:
    """Replace the fast forms by the plain ones."""
    with (
        mock.patch.object(
            lcnn, "larger_half", lambda x: x.unflatten(1, (2, -1)).amax(1)
        ),
        mock.patch.object(
            aasist, "pool_squares", lambda x: F.max_pool2d(x[:, None], 3)
        ),
        mock.patch.object(aasist, "pool_thirds", lambda x: F.max_pool2d(x, (1, 3))),
        mock.patch.object(Pointwise, "forward", nn.Conv2d.forward),
    ):
        yield


class Side:
    """A network, its loss and its optimizer.

    Args:
        network: copied, with its weights.
        plain: whether to take torch's own layers, contiguous.
        dtype: what the network computes in.
    """

    def __init__(self, network: Network, plain: bool, dtype: torch.dtype) -> None:
        self.network = copy.deepcopy(network).train()
        if not plain and network.channels_last:
            self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.loss = CrossEntropy(network.embedding_dim, 2)
        parameters = [*self.network.parameters(), *self.loss.parameters()]
        self.optimizer = torch.optim.Adam(parameters, 1e-4, weight_decay=1e-4)
        self.plain = plain
        self.dtype = dtype

    def step(self, feats: Tensor, labels: Tensor) -> float:
        """Take a step; return its CPU seconds."""
        start = time.process_time()
        layers = torch_s_own_layers() if self.plain else contextlib.nullcontext()
        with layers:
            is_low = self.dtype == torch.bfloat16
            with torch.autocast("cpu", self.dtype, enabled=is_low):
                embeddings = self.network(feats)
            self.optimizer.zero_grad()
            self.loss(embeddings, labels).backward()
            self.optimizer.step()
        return time.process_time() - start


def compare(name: str, rounds: int) -> None:
    """Print the ratios of a network."""
    num_chunks, length, dim, options = CASES[name]
    torch.manual_seed(0)
    network = build(name, feat_dim=dim, **options)
    feats = torch.randn(num_chunks, length, dim)
    labels = torch.arange(num_chunks) % 2
    sides = {
        "plain": Side(network, True, torch.float32),
        "fast": Side(network, False, torch.float32),
        "bf16": Side(network, False, torch.bfloat16),
    }
    seconds: dict[str, list[float]] = {side: [] for side in sides}
    for turn in range(rounds + 1):
        for side, model in sides.items():
            taken = model.step(feats, labels)
            if turn:  # the first one gets memory
                seconds[side].append(taken)
    print(
        f"{name}, {num_chunks} x {length}: plain {min(seconds['plain']):.2f} s", end=""
    )
    for side in ("fast", "bf16"):
        pairs = zip(seconds["plain"], seconds[side], strict=True)
        ratios = sorted(plain / other for plain, other in pairs)
        median = statistics.median(ratios)
        print(f"; {side} {median:.2f}x ({ratios[0]:.2f} to {ratios[-1]:.2f})", end="")
    print(flush=True)


def main() -> None:
    """Compare the networks that were asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3, help="steps of each side")
    parser.add_argument("networks", nargs="*", default=[], help="default: all")
    args = parser.parse_args()
    keep_freed()
    for name in args.networks or CASES:
        compare(name, args.rounds)


if __name__ == "__main__":
    main()
