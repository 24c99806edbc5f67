r"""Print EER, detection costs and Cllr of score files.

e.g.: asdkit score-metrics data/test/trials exp/scores_plda exp/scores_cosine
e.g.: asdkit score-metrics --flavor asvspoof2019 --bootstrap 1000 \
        --asv-scores data/eval/asv_scores data/eval/utt2attack exp/cm/eval_scores
e.g.: asdkit score-metrics --flavor asvspoof5 data/eval/asv_trials exp/sasv/eval_scores
e.g.: asdkit score-metrics --p-target 0.01,0.05 --c-fa 1,10 trials theirs.score.gz

EER is the mean of both error rates where they are nearest (ASVspoof's definition; equal
scores are accepted or rejected together), Kaldi EER what its compute-eer prints, VoxSRC
EER interpolated; they differ by about one target trial.  actDCF and Cllr (in bits)
presume natural-log likelihood ratios; minCllr is Cllr after the best calibration.
Scores of pairs may be Kaldi's, WeSpeaker's, SpeechBrain's, VoxSRC's or NIST's, of any
kind in .gz.  Scores that look wrong (flipped, shifted by rows, decisions) are warned
of; score-check makes that an error.

The flavors of ASVspoof take a CM protocol of the challenge or utt2attack, with scores
of utterances, or an ASV protocol or asv_trials, with scores of pairs.  Rows are all
trials pooled, then every attack against all bona fide speech, then every codec.  The
t-DCF has 2019's form or 2021's, as the flavor has it, never both.

--bootstrap puts 95 % intervals around numbers and adds, for every file but the first,
its difference to the first on the same draws of speakers.  In the t-DCF only the CM is
drawn anew; the ASV system stays as it is.
"""

from __future__ import annotations

import argparse

from asdkit.base.answers import Answer
from asdkit.base.errors import AsdkitError
from asdkit.base.options import add_options, options_of
from asdkit.metrics.flavor_names import SPOOFING, VERIFICATION


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "--flavor",
        choices=(*VERIFICATION, *SPOOFING),
        default="kaldi",
        help="metrics to print and formats of the files (default: kaldi)",
    )
    add_options(
        parser,
        "asdkit.countermeasures.evaluation:spoofing_metrics",
        *("asv_scores", "asv_trials", "by", "subset", "bootstrap", "seed", "utt2spk"),
        *("p_target", "c_miss", "c_fa", "digits"),
    )
    parser.add_argument("trials", help="key: trials, a protocol or utt2attack")
    parser.add_argument("scores", nargs="+", help="one file per system, in any order")


def main(args: argparse.Namespace) -> Answer:
    """Run the command."""
    from asdkit.countermeasures.evaluation import spoofing_metrics
    from asdkit.metrics.flavors import operating_points
    from asdkit.verification.evaluation import verification_metrics

    if args.flavor in VERIFICATION:
        if args.asv_scores or args.asv_trials or args.subset:
            message = f"--flavor {args.flavor} takes no --asv-scores, -trials, --subset"
            raise AsdkitError(message)
        points = operating_points(args.p_target, args.c_miss, args.c_fa)
        draws = args.bootstrap, args.seed, args.utt2spk
        how = args.flavor, *draws, points, args.digits
        return verification_metrics(args.trials, args.scores, *how)
    options = options_of(spoofing_metrics, args)
    return spoofing_metrics(args.trials, args.scores, args.flavor, **options)
