"""Result tables of speaker verification, from files of trials and scores."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from asdkit.base.answers import Table
from asdkit.base.errors import DataError
from asdkit.data.scores import match_examined
from asdkit.io.score_formats import read_scores_of
from asdkit.io.tables import PathName, read_words
from asdkit.io.trials import Trials, read_trials
from asdkit.metrics.bootstrap import speakers_of
from asdkit.metrics.flavors import OperatingCosts
from asdkit.metrics.metric_table import DIGITS, Draws, verification_table

logger = logging.getLogger(__name__)
UTT2SPK = "utt2spk"


def verification_metrics(
    trials_path: PathName,
    score_paths: Sequence[PathName],
    flavor: str = "kaldi",
    num_replicates: int = 0,
    seed: int = 0,
    utt2spk: PathName | None = None,
    points: Sequence[OperatingCosts] = (),
    digits: int = DIGITS,
) -> Table:
    """Measure score files, one line per file; warn about odd scores.

    Args:
        trials_path: ``<enroll> <test> target|nontarget`` or VoxCeleb's form.
        score_paths: in any order, and any format of `asdkit.io.score_formats`.
        flavor: one of `asdkit.metrics.flavor_names.VERIFICATION`.
        num_replicates: bootstrap draws of speakers for intervals; 0 for none.
        seed: of the draws.
        utt2spk: speakers of utterances on both sides; None: as in `speakers_of_trials`.
        points: operating points of the costs; none: those of the flavor.
        digits: decimals of the numbers.

    Raises:
        DataError: a file is wrong, does not match the trials, or a class is missing.
    """
    trials, classes, systems = read_systems(trials_path, score_paths)
    draws = None
    if num_replicates:
        sides = speakers_of_trials(trials, trials_path, utt2spk)
        draws = Draws(speakers_of(classes, *sides), num_replicates, seed)
    return verification_table(systems, flavor, draws, points, digits)


def read_systems(
    trials_path: PathName, score_paths: Sequence[PathName]
) -> tuple[Trials, list[np.ndarray], dict[str, list[np.ndarray]]]:
    """Read score files of the same trials; warn about odd scores.

    Args:
        trials_path: ``<enroll> <test> target|nontarget`` or VoxCeleb's form.
        score_paths: in any order, and any format of `asdkit.io.score_formats`.

    Returns:
        the N trials; (N,) bool for targets and for nontargets; for every file the
        scores of both classes.

    Raises:
        DataError: a file is wrong, does not match the trials, or a class is missing.
    """
    trials = read_trials(trials_path)
    num_targets = int(trials.is_target.sum())
    if num_targets in (0, len(trials)):
        raise DataError(
            trials_path,
            f"expected target and nontarget trials, got {num_targets} target and "
            f"{len(trials) - num_targets} nontarget",
        )
    classes = [trials.is_target, ~trials.is_target]
    systems = {}
    for path in score_paths:
        values = match_examined(trials, read_scores_of(trials, path), trials_path, path)
        systems[f"{path}"] = [values[rows] for rows in classes]
    return trials, classes, systems


def speakers_of_trials(
    trials: Trials, trials_path: PathName, utt2spk: PathName | None = None
) -> list[list[str]]:
    """Name the speakers of N trials: a list of N for the enrolled side, or for both.

    Args:
        trials: N of them.
        trials_path: their file.
        utt2spk: speakers of utterances on both sides; None: utt2spk beside the trials.
            Where it is not there, or of other utterances, an enrolled model is taken
            for a speaker, which is warned of, and the test side is left out.

    Raises:
        DataError: the table that was given lacks a test utterance.
    """
    enroll = [trials.enroll_ids[row] for row in trials.enroll]
    beside = Path(trials_path).parent / UTT2SPK
    if utt2spk is None and not beside.is_file():
        return _without_speakers(enroll, trials_path, "there is no utt2spk beside it")
    table = read_words(beside if utt2spk is None else utt2spk)
    missing = [utt for utt in trials.test_ids if utt not in table]
    if missing and utt2spk is None:
        return _without_speakers(enroll, trials_path, f"{beside} lacks {missing[0]!r}")
    if missing and utt2spk is not None:
        raise DataError(utt2spk, f"it lacks {missing[0]!r} of the trials")
    test = [table[trials.test_ids[row]] for row in trials.test]
    return [[table.get(model, model) for model in enroll], test]


def _without_speakers(
    enroll: list[str], trials_path: PathName, why: str
) -> list[list[str]]:
    """Take enrolled models for speakers; say so."""
    text = (
        "intervals: %s: %s: every enrolled model is taken for a speaker, which makes "
    )
    text += "them too narrow where a speaker has several; --utt2spk names the speakers"
    logger.warning(text, trials_path, why)
    return [enroll]
