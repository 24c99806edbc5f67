"""Print parameters, MACs and speed of networks.

e.g.: asdkit nnet-info resnet34 campplus --num-frames 300
      asdkit nnet-info --compare resnet_se34 resnet_se34_fast exp/student

Parameters exclude the classifier; multiply-accumulates (MACs) are those of convolutions
and matrix products for one utterance; the real-time factor is measured on this machine,
one utterance at a time, without feature extraction.
"""

from __future__ import annotations

import argparse

from asdkit.base.answers import Table
from asdkit.base.errors import AsdkitError
from asdkit.base.options import add_options
from asdkit.base.parsing import parsing_of
from asdkit.base.plugins import add_plugins
from asdkit.base.ranges import Count
from asdkit.nnet.registry import MODELS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    for kind in ("feat", "embedding"):
        text = (
            f"{kind.replace('feat', 'feature')} dimension (default: the network's own)"
        )
        parser.add_argument(f"--{kind}-dim", **parsing_of(Count), help=text)
    add_options(parser, "asdkit.nnet.complexity:complexity_table", "num_frames")
    add_plugins(parser)
    parser.add_argument(
        "--compare",
        metavar="NETWORK",
        help="also print the others' parameters, MACs and time as shares of this one's",
    )
    text = f"directories with network.pt, my.module:Net, or any of {', '.join(MODELS)}"
    parser.add_argument("networks", nargs="+", metavar="network", help=text)


def main(args: argparse.Namespace) -> Table:
    """Run the command."""
    from asdkit.models.networks import network_called
    from asdkit.nnet.complexity import complexity_table

    sizes = {"feat_dim": args.feat_dim, "embedding_dim": args.embedding_dim}
    options = {name: size for name, size in sizes.items() if size is not None}
    names = [args.compare, *args.networks] if args.compare else args.networks
    networks = {name: network_called(name, options) for name in names}
    for name, network in networks.items():
        if args.num_frames < network.min_frames:
            raise AsdkitError(
                f"--num-frames: {name} needs {network.min_frames} or more, "
                f"got {args.num_frames}"
            )
    return complexity_table(networks, args.num_frames, args.compare)
