r"""Compare any toolkit's scores with an i-vector baseline.

e.g.: asdkit benchmark --train data/train --test data/test --trials data/test/trials \
        --scores theirs.score NN=nn.txt.gz --exp exp/benchmark
e.g.: asdkit benchmark --baseline exp/extractor --test data/test \
        --trials veri_test2.txt --scores theirs.txt --exp exp/benchmark

Trains a baseline of i-vectors and PLDA, sized by the amount of training data, or takes
a trained one; scores the trials with it, and prints how far the others are from it,
with intervals, as asdkit compare does.  Scores may be Kaldi's, WeSpeaker's,
SpeechBrain's, VoxSRC's or NIST's, also in .gz.  Run again, it goes on where it was.
Also copies all scores to exp/benchmark/systems, and writes exp/benchmark/report.html
of them, as asdkit report does.
"""

from __future__ import annotations

import argparse

from asdkit.base.answers import Answer
from asdkit.base.options import add_options, options_of
from asdkit.base.outputs import OutputDir


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    name = "asdkit.report.benchmark:benchmark"
    add_options(parser, name, "train", "baseline", "backend")
    add_options(parser, name, "p_target", "c_miss", "c_fa", "bootstrap", "seed")
    add_options(parser, "asdkit.report.benchmark:write_page", "digits")
    text = "list of trials, ours or VoxCeleb's"
    parser.add_argument("--trials", required=True, metavar="FILE", help=text)
    text = "data directory with the audio of the trials"
    parser.add_argument("--test", required=True, metavar="DIR", help=text)
    parser.add_argument(
        "--scores",
        required=True,
        nargs="+",
        metavar="[NAME=]FILE",
        help="score files of other systems",
    )
    parser.add_argument(
        "--exp",
        required=True,
        type=OutputDir,
        metavar="DIR",
        help="where to write the baseline and its scores",
    )


def main(args: argparse.Namespace) -> Answer:
    """Run the command."""
    from asdkit.report.benchmark import benchmark, write_page

    options = options_of(benchmark, args)
    answer = benchmark(args.exp, args.trials, args.test, args.scores, **options)
    costs = {name: options[name] for name in ("p_target", "c_miss", "c_fa")}
    return [*answer, *write_page(args.exp, args.scores, **costs, digits=args.digits)]
