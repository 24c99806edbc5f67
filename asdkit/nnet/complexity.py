"""Complexity of a network: parameters, multiply-accumulates, time.

Conventions, those of the published tables.  Parameters are all that is learned, without
a classifier's weights.  One multiply-accumulate (MAC) is a multiplication and an
addition in a convolution or a matrix product, for one utterance; biases,
normalizations, activations and element-wise products are not counted.  Twice the MACs
are the FLOPs.

Published counts that differ from these, for 80 mels and 200 frames: CAM++ 1.126 G and
ECAPA-TDNN 1.04 G and 2.65 G repeat for every frame what is the same for a segment of
100 frames or for the utterance; here it is computed once (1.073, 0.959, 2.571 G), as in
ReDimNet2's pooling (B0 0.294 G, B1 0.497 G, for 0.33 and 0.56; the rest is not known).
WeSpeaker's list for ResNets counts normalizations as well (4.55 G for 4.528 G).
"""

from __future__ import annotations

import copy
import time
from collections.abc import Mapping

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from asdkit.base.answers import Cell, Table, number
from asdkit.base.ranges import Count
from asdkit.nnet.network import Network


def num_parameters(module: nn.Module) -> int:
    """Count the trainable parameters."""
    return sum(parameter.numel() for parameter in module.parameters())


def num_macs(network: Network, num_frames: int = 200) -> int:
    """Count the multiply-accumulates of one embedding, without computing it.

    Args:
        network: any network; left unchanged.
        num_frames: T, the length of the utterance.
    """
    # On the meta device a tensor has a shape and no numbers.
    shapes = copy.deepcopy(network).to("meta").eval()
    feats = torch.empty(1, num_frames, network.feat_dim, device="meta")
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        shapes(feats)
    return counter.get_total_flops() // 2


def real_time_factor(
    network: Network,
    num_frames: int = 200,
    frame_shift: float | None = None,
    num_repeats: int = 10,
) -> float:
    """Measure the time of one embedding relative to the length of the speech.

    The network runs where it is, with as many threads as torch has, one utterance at
    a time, features given.

    Args:
        network: any network; left unchanged.
        num_frames: T, the length of the utterance.
        frame_shift: in ms; None is 10, or a sample at 16 kHz for networks on samples.
        num_repeats: number of runs after a warm-up; the fastest counts, as other load
            only slows runs down.

    Returns:
        seconds per second of speech; 0.01 is a hundred times faster than real time.
    """
    if frame_shift is None:
        frame_shift = 1 / 16 if network.feat_dim == 1 else 10.0
    like = next(network.parameters())
    feats = torch.zeros(
        1, num_frames, network.feat_dim, device=like.device, dtype=like.dtype
    )
    was_training = network.training
    network.eval()
    seconds = []
    with torch.inference_mode():
        for _ in range(num_repeats + 1):
            start = time.perf_counter()
            network(feats).cpu()  # a GPU is done when the answer is here
            seconds.append(time.perf_counter() - start)
    network.train(was_training)
    return min(seconds[1:]) / (num_frames * frame_shift / 1000)


def complexity_table(
    networks: Mapping[str, Network],
    num_frames: Count = 200,
    reference: str | None = None,
) -> Table:
    """Tabulate the complexity of networks, one line each.

    Args:
        networks: name -> network, on the CPU.
        num_frames: length of the utterance in frames.
        reference: name of a network; the others get a second line with their share of
            its complexity; None: no such lines.
    """
    titles = ("network", "input", "output", "parameters", "MACs", "real-time factor")
    rows: list[list[Cell | str]] = []
    complexities = {}
    for name, network in networks.items():
        macs = num_macs(network, num_frames)
        rtf = real_time_factor(network, num_frames)
        complexities[name] = (num_parameters(network), macs, rtf)
        rows.append(
            [
                name,
                f"{num_frames} x {network.feat_dim}",
                number(network.embedding_dim),
                number(complexities[name][0], ","),
                Cell(f"{macs / 1e9:.3f} G", macs),
                number(rtf, ".4f"),
            ]
        )
        if reference and name != reference:
            pairs = zip(complexities[name], complexities[reference], strict=True)
            shares = [part / whole for part, whole in pairs]
            cells = [Cell(f"{100 * share:.1f} %", share) for share in shares]
            rows.append([f"  of {reference}", "", "", *cells])
    threads = torch.get_num_threads()
    return Table(titles, rows, notes=[f"(times of this CPU, torch threads: {threads})"])
