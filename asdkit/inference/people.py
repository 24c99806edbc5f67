"""Enroll speakers, and identify the speaker of a recording among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from asdkit.base.errors import DataError
from asdkit.base.exits import one_line
from asdkit.inference.bundle import Bundle
from asdkit.inference.profiles import Profiles
from asdkit.inference.score import Score
from asdkit.inference.verdict import Verdict
from asdkit.io.tables import PathName


class Enrolled(NamedTuple):
    """An enrollment that was done.

    Attributes:
        name: the person.
        added: recording, without its folder, and seconds of speech of each.
        total: number of the person's enrollments, with earlier ones.
    """

    name: str
    added: list[tuple[str, float]]
    total: int


@dataclass(frozen=True)
class Ranking:
    """The enrolled speakers by their scores against a recording.

    Attributes:
        verdicts: name -> decision whether it is this person; the most likely first.
        counts: name -> number of enrollments.
    """

    verdicts: Mapping[str, Verdict]
    counts: Mapping[str, int]

    @property
    def best(self) -> str:
        """Name of the most likely speaker, known or not."""
        return next(iter(self.verdicts))

    @property
    def speaker(self) -> str | None:
        """Name of the speaker that is accepted; None: unknown or undecided."""
        return self.best if self.verdicts[self.best].decision == "accept" else None

    @property
    def sentence(self) -> str:
        """One plain sentence."""
        verdict, name = self.verdicts[self.best], one_line(self.best)
        if verdict.decision == "accept":
            return f"This is probably {name}."
        if verdict.decision == "undecided":
            return f"{name} is most alike; the scores are not calibrated."
        if verdict.spoof is not None and verdict.spoof.decision == "reject":
            return "Unknown: the recording is probably spoofed."
        return f"Unknown: it is probably none of the {len(self.verdicts)} enrolled."

    def as_dict(self) -> dict[str, Any]:
        """Return numbers and texts for JSON."""
        best = self.verdicts[self.best]
        found: dict[str, Any] = {
            "speaker": self.speaker,
            "sentence": self.sentence,
            "kind": best.score.kind,
            "threshold": best.costs.threshold if best.score.is_calibrated else None,
            "ranking": [
                {
                    "name": name,
                    "score": float(verdict.score),
                    "decision": verdict.decision,
                    "enrollments": self.counts[name],
                }
                for name, verdict in self.verdicts.items()
            ],
            "speech_sec": round(best.speech_sec[-1], 2),
            "notes": list(best.notes),
        }
        if best.spoof is not None:
            found["spoof"] = best.spoof.as_dict()
        return found


class People:
    """The enrolled speakers of a bundle.

    Args:
        bundle: compares recordings.
        profiles: SQLite file of speakers; made when somebody is enrolled.

    Raises:
        DataError: the bundle has a countermeasure only.
    """

    def __init__(self, bundle: Bundle, profiles: PathName) -> None:
        self.bundle = bundle
        self.profiles = Profiles(profiles, _model_of(bundle))

    def enroll(
        self, name: str, audios: Sequence[Any], channel: int | None = None
    ) -> Enrolled:
        """Enroll recordings of a person, all or none.

        Raises:
            DataError: a recording cannot be read or holds too little speech, the name
                is empty, or the file of speakers cannot be used.
        """
        items = []
        for audio in audios:
            voice = self.bundle.hear(audio, channel)
            x = self.bundle.embed_voice(voice)
            items.append((Path(voice.name).name, voice.speech_sec, x))
        self.profiles.add_all(name, items)
        total = sum(1 for x in self.profiles.read() if x.name == name)
        return Enrolled(name, [(source, sec) for source, sec, _ in items], total)

    def rank(self, audio: Any, channel: int | None = None) -> Ranking:
        """Rank the speakers by the mean of their scores against a recording.

        Raises:
            DataError: no one is enrolled, or the recording cannot be read or holds too
                little speech.
        """
        people = self.profiles.read()
        if not people:
            problem = "there are no enrolled speakers"
            raise DataError(self.profiles.path, problem, hint="asdkit enroll")
        bundle = self.bundle
        voice = bundle.hear(audio, channel)
        test = bundle.embed_voice(voice)
        spoof = bundle.detect_voice(audio, channel) if bundle.has_cm else None
        enrolled: dict[str, list[np.ndarray]] = {}
        for person in people:
            enrolled.setdefault(person.name, []).append(person.embedding)
        scores = {name: mean_score(bundle, x, test) for name, x in enrolled.items()}
        ranked = sorted(scores, key=lambda name: -float(scores[name]))
        verdicts = {
            name: bundle.decide(scores[name], [voice], spoof) for name in ranked
        }
        return Ranking(verdicts, {name: len(enrolled[name]) for name in ranked})


def mean_score(
    bundle: Bundle, enrolled: Sequence[np.ndarray], test: np.ndarray
) -> Score:
    """Average the scores of a (E,) embedding against each of a person's (E,) ones."""
    several = [bundle.comparison.score(x[None], test) for x in enrolled]
    mean = float(np.mean([float(score) for score in several]))
    return Score(mean, several[0].kind, several[0].is_calibrated)


def _model_of(bundle: Bundle) -> str:
    """Checksum of the network whose embeddings are kept."""
    digest: str | None = bundle.about["files"].get("speaker.onnx")
    if digest is None:
        problem = "it has no network of speakers to enroll with"
        raise DataError(bundle.path, problem, hint="asdkit bundle-make of one")
    return digest
