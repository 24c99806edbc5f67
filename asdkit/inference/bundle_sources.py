"""The files that a bundle is made of."""

from __future__ import annotations

from typing import NamedTuple

from asdkit.io.tables import PathName


class Sources(NamedTuple):
    """The files that a bundle is made of, besides its network; None: none.

    Attributes:
        backend: compares embeddings.
        cohort: rspecifier of embeddings for AS-norm.
        cohort_utt2spk: speakers to average the cohort by.
        calibration: of the scores that result.
        calibration_utt2spk: its speakers, none of whom may be on the card.
        cm: directory of a countermeasure network.
        cm_key: utt2attack of development trials.
        cm_scores: the countermeasure's scores of these.
        cm_card_key: utt2attack of other recordings, for its card.
        cm_card_scores: the countermeasure's scores of these.
        localizer: .conf of localizer-tune --method fsa, for spoofed stretches.
        card_data: data directory of the card's trials.
        card_trials: trials of speakers that neither trained nor calibrated.
        card_scores: calibrated scores of these.
        check_audio: sound file or directory to compare graphs on.
    """

    backend: PathName | None = None
    cohort: str | None = None
    cohort_utt2spk: PathName | None = None
    calibration: PathName | None = None
    calibration_utt2spk: PathName | None = None
    cm: PathName | None = None
    cm_key: PathName | None = None
    cm_scores: PathName | None = None
    cm_card_key: PathName | None = None
    cm_card_scores: PathName | None = None
    localizer: PathName | None = None
    card_data: PathName | None = None
    card_trials: PathName | None = None
    card_scores: PathName | None = None
    check_audio: PathName | None = None
