r"""Score the utterances of a data directory as an adversary wants them misheard.

e.g.: asdkit cm-attack --adversaries fgsm,pgd --epsilons 0.01,0.03,0.1 \
        data/eval exp/senet9 exp/senet9/attacked

The adversary knows the network and the true classes, and changes every utterance by at
most epsilon: samples, or features in units of their standard deviation.  Writes one
file of ``<utt> <score>`` lines for each adversary and epsilon, e.g. fgsm_0.01, and
``none`` for the same utterances unchanged; error rates that rise from there with
epsilon tell how robust the network is.  Files that exist are kept, if they were made
of the same audio, network and options.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

from asdkit.base.device import choose_device
from asdkit.base.options import add_options, options_of
from asdkit.countermeasures.scoring import (
    origin_of_scores,
    score_network,
    write_scores,
)
from asdkit.distillation.adversarial import adversaries
from asdkit.io.origins import is_made_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_options(
        parser,
        adversaries,
        adversaries="fgsm, one step, or pgd, several from a random start",
        epsilons="their largest changes",
        adversary_steps="of pgd",
    )
    add_options(
        parser,
        score_network,
        lane="read feats.scp or compute features; None: as in the training",
        crop="what of an utterance is attacked; None: as in the training",
        max_frames="frames in a batch, padding included; 0: as in the training",
        num_workers="processes that make batches ahead",
    )
    add_options(parser, choose_device, device="where to compute")
    parser.add_argument("data_dir", help="data directory with utt2attack")
    parser.add_argument("cm_dir", help="directory with network.pt")
    parser.add_argument("scores_dir", help="where to write")


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    inputs = args.data_dir, Path(args.cm_dir) / "network.pt"
    options = options_of(score_network, args) | {"device": choose_device(args.device)}
    score = partial(score_network, *inputs, **options)
    matters = {"lane": args.lane, "crop": args.crop, "steps": args.adversary_steps}
    origin = origin_of_scores(*inputs, matters)
    for name, adversary in adversaries(**options_of(adversaries, args)).items():
        path = Path(args.scores_dir) / name
        if not is_made_of(path, origin):
            write_scores(path, args.data_dir, score(adversary=adversary), origin)
