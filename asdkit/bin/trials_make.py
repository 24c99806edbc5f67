r"""List pairs of utterances, or speakers, as trials.

e.g.: asdkit trials-make data/test data/test/trials
e.g.: asdkit trials-make --within data/test/spk2gender data/test data/test/trials
e.g.: asdkit trials-make --across data/test/utt2session data/test data/test/trials
e.g.: asdkit trials-make --enroll-spk2utt data/enroll/spk2utt data/la data/la/asv_trials

Without enrolled speakers, all unordered pairs of utterances are trials.  With them,
each speaker is paired with all utterances except the enrolled ones; utterances that
utt2attack marks as spoofed are paired only with the speaker they imitate.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from asdkit.base.errors import AsdkitError, DataError
from asdkit.base.options import add_options
from asdkit.base.outputs import OutputFile
from asdkit.io.tables import read_table, read_words

logger = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "--enroll-spk2utt",
        metavar="FILE",
        help="enrollment utterances of every speaker (default: pair utterances with "
        "utterances)",
    )
    add_options(parser, "asdkit.verification.all_pairs:all_pairs_metrics", "within")
    parser.add_argument(
        "--across",
        metavar="FILE",
        help="table, e.g. utt2session; equal values are not paired (default: pair all)",
    )
    parser.add_argument("data_dir", help="directory with utt2spk")
    parser.add_argument(
        "trials", type=OutputFile, help="where to write; .npz: in binary"
    )


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    import numpy as np

    from asdkit.data.derived import origin_of_utterances
    from asdkit.data.trial_lists import pair_utterances, pair_with_speakers, read_groups
    from asdkit.io.protocols import BONAFIDE
    from asdkit.io.trials import write_trials

    if args.across and args.enroll_spk2utt:
        raise AsdkitError("--across goes with pairs of utterances only")
    path = Path(args.data_dir) / "utt2spk"
    utt2spk = read_words(path)
    if args.enroll_spk2utt is None:
        within, across = (read_groups(x, utt2spk) for x in (args.within, args.across))
        trials = pair_utterances(utt2spk, within, across)
        is_spoof = np.zeros(len(trials), dtype=bool)
    else:
        spk2utt = read_table(args.enroll_spk2utt)
        attacks = path.with_name("utt2attack")
        table = read_words(attacks) if attacks.exists() else {}
        spoofs = {utt for utt, attack in table.items() if attack != BONAFIDE}
        groups = read_groups(args.within, utt2spk | {spk: spk for spk in spk2utt})
        trials, is_spoof = pair_with_speakers(spk2utt, utt2spk, spoofs, groups)
    num_targets, num_spoofs = int(trials.is_target.sum()), int(is_spoof.sum())
    others = len(trials) - num_targets - num_spoofs
    if not (num_targets and others):
        counts = f"{num_targets} target and {others} nontarget"
        raise DataError(path, f"expected target and nontarget pairs, got {counts}")
    write_trials(args.trials, trials, is_spoof, origin_of_utterances(args.data_dir))
    counts = f"{len(trials)} trials, {num_targets} of them target, {num_spoofs} spoof"
    logger.info("trials-make: %s", counts)
