"""Verify that recordings are of one speaker.

e.g.: asdkit verify enroll.wav test.wav --model model/
e.g.: asdkit verify --fail-on reject --model model/ monday.wav tuesday.wav test.wav

Compares the last recording with those before it, of one enrolled speaker; prints the
log-likelihood ratio, the decision at the bundle's prior and costs, and one
sentence.  With a countermeasure in the bundle, a spoofed test recording is rejected.
The exit code is 0 whatever the decision, unless --fail-on says otherwise.
"""

from __future__ import annotations

import argparse

from asdkit.base.answers import Table
from asdkit.base.bundle_options import add_deciding, add_model


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_model(parser)
    add_deciding(parser)
    text = "sound files: one or more of the enrolled speaker, then the one to test"
    parser.add_argument("audio", nargs="+", help=text)


def main(args: argparse.Namespace) -> Table:
    """Run the command."""
    from asdkit.inference.bundle import Bundle
    from asdkit.inference.using import as_table, fail_on

    verdict = Bundle.open(args.model).verify(*args.audio, channel=args.channel)
    return fail_on(args.fail_on, [verdict], as_table([args.audio[-1]], [verdict]))
