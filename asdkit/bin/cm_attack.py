r"""Score under adversarial attack (FGSM, PGD).

e.g.: asdkit cm-attack --adversaries fgsm,pgd --epsilons 0.01,0.03,0.1 \
        data/eval exp/senet9 exp/senet9/attacked

The adversary has access to the network and the true classes, and changes every
utterance by at most epsilon: samples, or features in units of their standard deviation.
Writes one file of ``<utt> <score>`` lines for each adversary and epsilon, e.g.
fgsm_0.01, and ``none`` for the unchanged utterances; the slower error rates rise with
epsilon, the more robust the network.  Existing files are kept if they were made from
the same audio, network and options.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

from asdkit.base.device import choose_device
from asdkit.base.options import add_options, options_of
from asdkit.base.outputs import OutputDir
from asdkit.base.plugins import add_plugins


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_options(
        parser,
        "asdkit.distillation.adversarial:adversaries",
        "adversaries",
        "epsilons",
        "adversary_steps",
    )
    add_options(
        parser,
        "asdkit.countermeasures.scoring:score_network",
        "features",
        "crop",
        "max_frames",
        "num_workers",
    )
    add_options(parser, choose_device, "device")
    add_plugins(parser)
    parser.add_argument("data_dir", help="data directory with utt2attack")
    parser.add_argument("cm_dir", help="directory with network.pt")
    parser.add_argument("scores_dir", type=OutputDir, help="where to write the scores")


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    from asdkit.countermeasures.scoring import (
        origin_of_scores,
        score_network,
        write_scores,
    )
    from asdkit.distillation.adversarial import adversaries
    from asdkit.io.origins import is_made_of

    inputs = args.data_dir, Path(args.cm_dir) / "network.pt"
    options = options_of(score_network, args) | {"device": choose_device(args.device)}
    score = partial(score_network, *inputs, **options)
    matters = {
        "features": args.features,
        "crop": args.crop,
        "steps": args.adversary_steps,
    }
    origin = origin_of_scores(*inputs, matters)
    for name, adversary in adversaries(**options_of(adversaries, args)).items():
        path = Path(args.scores_dir) / name
        if not is_made_of(path, origin):
            write_scores(path, args.data_dir, score(adversary=adversary), origin)
