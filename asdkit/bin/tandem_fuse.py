r"""Fuse an ASV system and a countermeasure (SASV).

e.g.: asdkit tandem-fuse data/dev/asv_trials exp/asv/dev exp/cm/dev \
        data/eval/asv_trials exp/asv/eval exp/cm/eval exp/sasv

Trials are <spk> <utt> target|nontarget|spoof or an ASV protocol of a challenge, ASV
scores <spk> <utt> <score>, CM scores <utt> <score>.  Nothing is learned from eval,
whose fused <spk> <utt> <score> lines are written beside the model.
Printed are, for either system alone and for the fusion, the EERs against nontargets,
spoofs and both, and the a-DCF; then the CM's t-EER and min t-DCF with this ASV system.
"""

from __future__ import annotations

import argparse

from asdkit.base.answers import Answer
from asdkit.base.options import add_options, options_of
from asdkit.base.outputs import OutputDir
from asdkit.metrics.flavor_names import SPOOFING


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "--flavor",
        choices=SPOOFING,
        default="asvspoof2021",
        help="formats of the files and form of the t-DCF (default: asvspoof2021)",
    )
    names = "form", "num_rhos", "ridge"
    add_options(parser, "asdkit.countermeasures.tandem:TandemFusion", *names)
    for part in ("dev", "eval"):
        parser.add_argument(f"{part}_trials", help=f"trials of {part} with their keys")
        parser.add_argument(f"{part}_asv", help=f"ASV scores of {part}")
        parser.add_argument(f"{part}_cm", help=f"CM scores of {part}")
    parser.add_argument(
        "tandem_dir", type=OutputDir, help="where to write fusion.npz and eval_scores"
    )


def main(args: argparse.Namespace) -> Answer:
    """Run the command."""
    import numpy as np

    from asdkit.countermeasures.evaluation import cm_table, sasv_table
    from asdkit.countermeasures.keys import asv_scores_of
    from asdkit.countermeasures.score_files import read_tandem
    from asdkit.countermeasures.tandem import TandemFusion
    from asdkit.io.store import save_model
    from asdkit.io.trials import pairs_of, write_scores

    flavor = args.flavor
    dev = read_tandem(args.dev_trials, flavor, args.dev_asv, args.dev_cm)
    key, asv, cm = read_tandem(args.eval_trials, flavor, args.eval_asv, args.eval_cm)
    fusion = TandemFusion(**options_of(TandemFusion, args))
    fusion.fit(dev[1], dev[2], np.array(dev[0].key))
    fusion.refuse_strangers(asv, cm, [args.eval_asv, args.eval_cm])
    fused = fusion.score(asv, cm)
    scores = f"{args.tandem_dir}/eval_scores"
    save_model(f"{args.tandem_dir}/fusion.npz", fusion)
    write_scores(scores, pairs_of(key.spk, key.utt), fused)
    systems = {args.eval_asv: asv, args.eval_cm: cm, scores: fused}
    alone = {args.eval_cm: cm}
    tandem = cm_table(flavor, key, alone, asv_scores_of(key, asv), by=())
    return [sasv_table(key, systems, by=()), tandem]
