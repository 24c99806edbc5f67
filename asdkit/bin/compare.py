r"""Compare systems and say whether one is better.

e.g.: asdkit compare data/test/trials exp/plda/scores exp/cosine/scores
e.g.: asdkit compare --utt2spk data/test/utt2spk data/test/trials \
        exp/ivectors/scores net=exp/net/seed0/scores,exp/net/seed1/scores
e.g.: asdkit compare --asv-scores data/eval/asv_scores data/eval/utt2attack \
        LCNN=exp/lcnn/seed0/scores,exp/lcnn/seed1/scores GMM=exp/gmm/scores

A system is one score file, or several joined by commas, one per training seed; NAME=
names it.  Every system is compared with the first: trials by EER and minDCF,
countermeasures by EER and, with --asv-scores, min t-DCF.

Every bootstrap draw resamples the speakers, the same for all systems, and the seeds of
each system.  With a single seed the spread over seeds is unknown and left out: the
verdict is then about these trained models, not about the method.  Two seeds say little
about their spread, so their intervals are wide; take three or more.  p is two-sided,
with Holm's correction for all rows of the table.  The speakers on both sides of a trial
are resampled, by --utt2spk or the utt2spk beside the trials; without these, the
enrolled models.

10^6 trials and 1,000 draws take about 20 s on one core for each score file.
"""

from __future__ import annotations

import argparse

from asdkit.base.answers import Answer
from asdkit.base.options import add_options, options_of
from asdkit.base.outputs import OutputFile
from asdkit.metrics.flavor_names import SPOOFING


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "--flavor",
        choices=SPOOFING,
        default="asvspoof2019",
        help="format of a CM protocol and form of the t-DCF (default: asvspoof2019)",
    )
    add_options(
        parser,
        "asdkit.report.comparison:compare_systems",
        *(
            "p_target",
            "c_miss",
            "c_fa",
            "asv_scores",
            "asv_trials",
            "subset",
            "utt2spk",
        ),
        *("bootstrap", "seed", "level", "all_pairs"),
    )
    parser.add_argument(
        "--html",
        type=OutputFile,
        metavar="FILE",
        help="where to write a page of the comparison, with curves of every file",
    )
    parser.add_argument("trials", help="key: trials, a CM protocol or utt2attack")
    parser.add_argument(
        "systems",
        nargs="+",
        metavar="[NAME=]SCORES[,SCORES...]",
        help="score files; those of one system's seeds with commas between",
    )


def main(args: argparse.Namespace) -> Answer:
    """Run the command."""
    from asdkit.report.comparison import compare_systems

    options = options_of(compare_systems, args)
    tables = compare_systems(args.trials, args.systems, args.flavor, **options)
    if args.html:
        from asdkit.report.comparison_page import comparison_page
        from asdkit.report.page import write_page

        asv = args.asv_scores, args.asv_trials, args.subset
        page = comparison_page(tables, args.trials, args.systems, args.flavor, *asv)
        write_page(args.html, page)
    return tables
