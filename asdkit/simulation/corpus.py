"""A drawn corpus: speakers, the sessions of each, the utterances of each session."""

from __future__ import annotations

import re
from typing import Annotated, NamedTuple

import numpy as np

from asdkit.base.errors import AsdkitError
from asdkit.base.ranges import Count, Natural, Range
from asdkit.simulation.sessions import draw_session
from asdkit.simulation.speakers import draw_speaker, speak


class DrawnUtterance(NamedTuple):
    """What is known of an utterance before it is spoken.

    Attributes:
        utt: ``<spk>-<session>-<number>``.
        spk: the speaker's name.
        session: ``<spk>-<session>``.
        gender: "f" or "m".
        sec: duration, whole milliseconds.
    """

    utt: str
    spk: str
    session: str
    gender: str
    sec: float


class DrawnCorpus:
    """Speakers, sessions and utterances that exist as soon as they are named.

    A speaker is drawn with a generator seeded by seed and name, and so are a session
    and an utterance.  So each can be had without the others, in any order and on any
    rank, and a larger corpus contains the smaller ones.

    Args:
        num_spks: number of speakers; odd ones are women, even ones men.
        num_sessions: number of sessions of every speaker, each with its room and
            microphone.
        utts_per_session: number of utterances in every session.
        mean_sec: average duration of an utterance in seconds; single ones differ by up
            to a fifth.
        prefix: prefix of the speakers' names; other prefixes are other people.
        seed: random seed; other seeds give other people under the same names.
        sample_frequency: sampling rate in Hz.
    """

    def __init__(
        self,
        num_spks: Count = 80,
        num_sessions: Count = 4,
        utts_per_session: Count = 2,
        mean_sec: Annotated[float, Range(least=0.1)] = 3.5,
        prefix: str = "spk",
        seed: Natural = 0,
        sample_frequency: Annotated[int, Range(8000, 192_000)] = 16000,
    ) -> None:
        self.num_spks = num_spks
        self.num_sessions = num_sessions
        self.utts_per_session = utts_per_session
        self.mean_sec = mean_sec
        self.prefix = prefix
        self.seed = seed
        self.sample_frequency = sample_frequency

    def utterances(self) -> list[DrawnUtterance]:
        """List all utterances, sorted.

        Raises:
            AsdkitError: there would be none, or their names could not be file names.
        """
        counts = (self.num_spks, self.num_sessions, self.utts_per_session)
        if min(counts) < 1 or self.mean_sec < 0.1:
            raise AsdkitError(
                "expected at least one speaker, session and utterance of at least "
                f"0.1 s, got {counts} and {self.mean_sec} s"
            )
        if not re.fullmatch(r"[\w.-]*", self.prefix):
            raise AsdkitError(
                f"expected a prefix of letters, digits and _.-, got {self.prefix!r}"
            )
        drawn = []
        for place in np.ndindex(counts):
            spk_number, session_number, number = (i + 1 for i in place)
            spk = f"{self.prefix}{spk_number:04d}"
            session = f"{spk}-{session_number:02d}"
            utt = f"{session}-{number:02d}"
            share = self._rng(f"{utt} duration").uniform(0.8, 1.2)
            sec = round(share * self.mean_sec, 3)
            drawn.append(DrawnUtterance(utt, spk, session, "mf"[spk_number % 2], sec))
        return sorted(drawn)

    def speak(self, utterance: DrawnUtterance) -> np.ndarray:
        """Make the samples of one utterance: (L,) float32 in (-1, 1)."""
        speaker = draw_speaker(self._rng(utterance.spk), utterance.gender)
        session = draw_session(self._rng(utterance.session))
        rng = self._rng(utterance.utt)
        return speak(speaker, session, utterance.sec, rng, self.sample_frequency)

    def _rng(self, name: str) -> np.random.Generator:
        """Make the generator that belongs to a name."""
        return np.random.default_rng([self.seed, *name.encode()])
