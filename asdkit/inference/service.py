"""The answers of a server, apart from HTTP."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from asdkit.base.errors import DataError
from asdkit.inference.batched import BatchedModel
from asdkit.inference.bundle import Bundle
from asdkit.inference.people import People
from asdkit.inference.uploads import Limits, Refusal, take_upload
from asdkit.inference.voices import SoundFile
from asdkit.io.tables import PathName

Content = tuple[str, bytes]  # a file's name, and its bytes


class Service:
    """A bundle that many clients use at a time, from threads.

    Args:
        model: directory of the bundle.
        profiles: SQLite file of speakers; None: no one is enrolled or identified.
        limits: of what it takes.
        batching: options of `BatchedModel`.

    Raises:
        DataError: the bundle or the file of speakers is damaged.
    """

    def __init__(
        self,
        model: PathName,
        profiles: PathName | None = None,
        limits: Limits | None = None,
        **batching: Any,
    ) -> None:
        self.bundle = Bundle.open(model, partial(BatchedModel, **batching))
        self.limits = limits or Limits()
        self.graphs = self.bundle.warm_up()
        self.has_speakers = "speaker.onnx" in self.bundle.files
        self.people: People | None = None
        if profiles is not None:
            self.people = People(self.bundle, profiles)
            if not self.people.profiles.is_new:
                self.people.profiles.read()  # a damaged file is found at the start

    def close(self) -> None:
        """End what runs the graphs, after all that waits."""
        for graph in self.graphs:
            if isinstance(graph, BatchedModel):
                graph.close()

    def about(self) -> dict[str, Any]:
        """Describe bundle, decisions and limits."""
        bundle = self.bundle
        found: dict[str, Any] = {
            "what": bundle.what,
            "licence": bundle.about["licence"],
            "data": bundle.about["data"],
            "compares_speakers": self.has_speakers,
            "detects_spoofing": bundle.has_cm,
            "keeps_profiles": self.people is not None,
            "min_speech_sec": bundle.min_speech_sec,
            "max_sec": min(self.limits.max_sec, bundle.max_sec),
            "max_mb": self.limits.max_mb,
            "max_files": self.limits.max_files,
        }
        if self.has_speakers:
            is_calibrated = "calibration.npz" in bundle.files
            found["threshold"] = bundle.costs.threshold if is_calibrated else None
        if bundle.has_cm:
            is_calibrated = "cm_calibration.npz" in bundle.files
            found["cm_threshold"] = bundle.cm_costs.threshold if is_calibrated else None
        return found

    def verify(
        self, enroll: Sequence[Content], test: Content, channel: int | None = None
    ) -> dict[str, Any]:
        """Decide whether a recording is of the speaker of others."""
        self._require(self.has_speakers, "has no network of speakers")
        audios = [self._take(x) for x in (*enroll, test)]
        with _blaming(audios):
            return self.bundle.verify(*audios, channel=channel).as_dict()

    def detect(self, audio: Content, channel: int | None = None) -> dict[str, Any]:
        """Decide whether a recording is bona fide speech."""
        self._require(self.bundle.has_cm, "has no countermeasure")
        taken = self._take(audio)
        with _blaming([taken]):
            return self.bundle.detect_voice(taken, channel).as_dict()

    def enroll(
        self, name: str, audios: Sequence[Content], channel: int | None = None
    ) -> dict[str, Any]:
        """Enroll recordings of a person, all or none."""
        people = self._require_people()
        if not name.strip() or not name.isprintable() or len(name) > 200:
            problem = "expected a name of up to 200 printable letters"
            raise Refusal(422, f"name: {problem}")
        taken = [self._take(x) for x in audios]
        with _blaming(taken):
            done = people.enroll(name, taken, channel)
        added = [{"recording": x, "speech_sec": round(s, 2)} for x, s in done.added]
        return {"name": done.name, "enrollments": done.total, "added": added}

    def identify(self, audio: Content, channel: int | None = None) -> dict[str, Any]:
        """Rank the enrolled speakers."""
        people = self._require_people()
        self._require_enrolled(people)
        taken = self._take(audio)
        with _blaming([taken]):
            return people.rank(taken, channel).as_dict()

    def list_profiles(self) -> dict[str, Any]:
        """List the enrollments."""
        people = self._require_people()
        found = [] if people.profiles.is_new else people.profiles.read()
        names = "name", "recording", "speech_sec", "added"
        rows = [
            dict(
                zip(
                    names,
                    (x.name, x.source, round(x.speech_sec, 2), x.added),
                    strict=True,
                )
            )
            for x in found
        ]
        return {"profiles": rows}

    def remove(self, name: str) -> dict[str, Any]:
        """Forget a person."""
        people = self._require_people()
        if not people.profiles.knows(name):
            raise Refusal(404, f"no one is enrolled as {name!r}")
        return {"name": name, "removed": people.profiles.remove(name)}

    def _take(self, file: Content) -> SoundFile:
        """Take an upload within the limits."""
        rates = [graph.sampling_rate for graph in self.graphs]
        try:
            return take_upload(*file, rates, self.limits)
        except DataError as error:
            raise Refusal(422, str(error), error.hint) from None

    def _require(self, has: bool, lacks: str) -> None:
        """Refuse what the bundle has no graph for."""
        if not has:
            raise Refusal(501, f"the bundle {lacks}")

    def _require_people(self) -> People:
        """Refuse what needs a file of speakers, where there is none."""
        if self.people is None:
            hint = "asdkit serve --profiles FILE"
            raise Refusal(501, "the server has no file of speakers", hint)
        return self.people

    def _require_enrolled(self, people: People) -> None:
        """Refuse to identify where no one is enrolled."""
        if people.profiles.is_new or not people.profiles.read():
            raise Refusal(409, "no one is enrolled", "POST /enroll")


@contextlib.contextmanager
def _blaming(files: Sequence[SoundFile]) -> Iterator[None]:
    """Tell what is wrong with a file that was sent from what is wrong here."""
    try:
        yield
    except DataError as error:
        if str(error.path) in {file.name for file in files}:
            raise Refusal(422, str(error), error.hint) from None
        raise
