"""Decisions about speech while it comes, from a pipe or a microphone.

Each decision is about all that came so far, by the same functions as for a file: the
last one is that of `Bundle.verify` on a file with the same samples.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from asdkit.base.errors import AsdkitError, DataError
from asdkit.base.packages import require
from asdkit.base.ranges import Count, Positive
from asdkit.inference.bundle import Bundle
from asdkit.inference.people import People, mean_score
from asdkit.inference.recordings import require_full_scale, require_rate
from asdkit.inference.score import Score
from asdkit.inference.verdict import Verdict
from asdkit.inference.voices import TooLittleSpeech
from asdkit.io.audio import require_sound
from asdkit.io.tables import PathName

MICROPHONE = "pip install 'asdkit[microphone]'; apt-get install libportaudio2"
TYPES = {"s16le": "<i2", "f32le": "<f4"}
SCALES = {"s16le": 32768.0, "f32le": 1.0}
BLOCK = 1 << 16  # bytes to read at a time
PIPE = "arecord -t raw -f S16_LE -r 16000 | asdkit stream --rate 16000 ..."

Compare = Callable[[np.ndarray], Score]  # a (E,) embedding with the enrolled speaker


@dataclass(frozen=True)
class Pcm:
    """Samples of one channel as bytes, without a header.

    Args:
        rate: sampling rate in Hz.
        encoding: "s16le", 16-bit integers, or "f32le", floating-point numbers in
            [-1, 1); both little-endian.
    """

    rate: Count = 16000
    encoding: Literal["s16le", "f32le"] = "s16le"

    @property
    def width(self) -> int:
        """Bytes of a sample."""
        return np.dtype(TYPES[self.encoding]).itemsize

    def decode(self, data: bytes) -> np.ndarray:
        """Turn bytes into (L,) float32 samples; an incomplete one is left out."""
        whole = data[: len(data) // self.width * self.width]
        found = np.frombuffer(whole, TYPES[self.encoding]).astype(np.float32)
        return found / np.float32(SCALES[self.encoding])


class Arrivals:
    """Bytes that one thread puts and another takes, with the times of their arrival."""

    def __init__(self) -> None:
        self._blocks: list[tuple[bytes, float]] = []
        self._is_complete = False
        self._changed = threading.Condition()

    def put(self, data: bytes) -> None:
        """Add bytes that have just come."""
        with self._changed:
            self._blocks.append((data, time.monotonic()))
            self._changed.notify()

    def end(self) -> None:
        """Say that no more will come."""
        with self._changed:
            self._is_complete = True
            self._changed.notify()

    def take(self, num_bytes: int) -> tuple[bytes, float, bool]:
        """Wait for so many bytes, or the end.

        Returns:
            the bytes, when the last of them came, and whether they are the last.
        """
        with self._changed:
            self._changed.wait_for(
                lambda: (
                    self._is_complete
                    or sum(len(x) for x, _ in self._blocks) >= num_bytes
                )
            )
            taken, size = [], 0
            when = time.monotonic()
            while self._blocks and size < num_bytes:
                data, when = self._blocks.pop(0)
                head, rest = data[: num_bytes - size], data[num_bytes - size :]
                if rest:
                    self._blocks.insert(0, (rest, when))
                taken.append(head)
                size += len(head)
            return b"".join(taken), when, self._is_complete and not self._blocks


class Update(NamedTuple):
    """A decision after some seconds.

    Attributes:
        total_sec: seconds of sound so far.
        verdict: the decision; None: too little speech.
        speech: how much speech was found, in words, where it is too little.
        delay_sec: from the arrival of the last sample to this answer.
    """

    total_sec: float
    verdict: Verdict | None
    speech: str
    delay_sec: float

    def __str__(self) -> str:
        start = f"{self.total_sec:6.1f} s  "
        if self.verdict is None:
            return f"{start}{self.speech}"
        texts = [_in_words(self.verdict)]
        if self.verdict.spoof is not None:
            texts.append(_in_words(self.verdict.spoof))
        texts.append(f"{self.verdict.speech_sec[-1]:.1f} s of speech")
        return start + "; ".join(texts)

    def as_dict(self) -> dict[str, Any]:
        """Return numbers and texts for JSON."""
        found = {"total_sec": round(self.total_sec, 3), "delay_sec": self.delay_sec}
        if self.verdict is None:
            return found | {"decision": None, "problem": self.speech}
        return found | self.verdict.as_dict()


class Listener:
    """Decide about speech as it comes.

    Args:
        bundle: decides.
        pcm: what the bytes are.
        compare: compares with the enrolled speaker; None: spoofing is detected only.
        every_sec: seconds of sound between two decisions; more where a decision takes
            longer than that.

    Attributes:
        last: the last decision.
        num_odd: bytes at the end that are no sample.
    """

    def __init__(
        self,
        bundle: Bundle,
        pcm: Pcm,
        compare: Compare | None = None,
        every_sec: Positive = 1.0,
    ) -> None:
        require_rate("--rate", pcm.rate)
        self.bundle = bundle
        self.pcm = pcm
        self.compare = compare
        self.every_sec = every_sec
        self.last: Update | None = None
        self.num_odd = 0
        self._delays: list[float] = []

    def updates(self, arrivals: Arrivals, name: str) -> Iterator[Update]:
        """Yield decisions until the end of the sound, or the longest that is used.

        Args:
            arrivals: bytes.
            name: where they come from, for messages.

        Raises:
            DataError: nothing comes, or NaN; or in the end it is too little speech.
        """
        pcm, most = (
            self.pcm,
            round(self.bundle.max_sec * self.pcm.rate) * self.pcm.width,
        )
        data, is_last, step, judged = b"", False, self.every_sec, -1
        problem: TooLittleSpeech | None = None
        while not is_last:
            wanted = max(1, round(step * pcm.rate)) * pcm.width
            try:
                new, came, is_last = arrivals.take(min(wanted, most - len(data)))
            except KeyboardInterrupt:  # the end of what a microphone records
                arrivals.end()
                new, came, is_last = arrivals.take(most - len(data))
                is_last = True
            data += new
            is_last = is_last or len(data) >= most
            samples = pcm.decode(data)
            if not len(samples) or len(samples) == judged:
                continue
            start, judged = time.monotonic(), len(samples)
            verdict, speech, problem = self._try(samples, name)
            now = time.monotonic()
            self.last = Update(len(samples) / pcm.rate, verdict, speech, now - came)
            self._delays.append(now - came)
            step = max(self.every_sec, now - start)
            yield self.last
        self.num_odd = len(data) % pcm.width
        if judged < 0:
            raise DataError(name, "expected samples, got none", hint=PIPE)
        if problem is not None:
            raise problem

    def _try(
        self, samples: np.ndarray, name: str
    ) -> tuple[Verdict | None, str, TooLittleSpeech | None]:
        """Decide about (L,) samples, or say how little speech they have."""
        require_sound(name, samples)
        require_full_scale(name, samples)
        try:
            return self.judge(samples), "", None
        except TooLittleSpeech as error:
            named = TooLittleSpeech(name, error.problem, hint=error.hint)
            return None, error.problem, named

    @property
    def verdict(self) -> Verdict | None:
        """The last decision."""
        return None if self.last is None else self.last.verdict

    def summary(self, cpu_sec: float) -> str:
        """Say what the decisions have cost, and what was left out."""
        total = self.last.total_sec if self.last is not None else 0.0
        mean = sum(self._delays) / max(1, len(self._delays))
        most = max(self._delays, default=0.0)
        texts = [
            f"{len(self._delays)} decisions about {total:.2f} s of sound",
            f"delay {mean:.3f} s on average, {most:.3f} s at most",
            f"{cpu_sec / max(total, 1e-9):.4f} s of CPU per second of sound",
        ]
        if total >= self.bundle.max_sec:
            texts.append(f"only its first {self.bundle.max_sec:g} s are used")
        if self.num_odd:
            texts.append(f"the end is no sample: {self.num_odd} of its bytes")
        return "; ".join(texts) + "."

    def judge(self, samples: np.ndarray) -> Verdict:
        """Decide about (L,) samples in [-1, 1), as about a file.

        Raises:
            TooLittleSpeech: it is not enough.
        """
        audio = samples, self.pcm.rate
        if self.compare is None:
            return self.bundle.detect_voice(audio)
        voice = self.bundle.hear(audio)
        score = self.compare(self.bundle.embed_voice(voice))
        spoof = self.bundle.detect_voice(audio) if self.bundle.has_cm else None
        return self.bundle.decide(score, [voice], spoof)


def speaker_of(
    bundle: Bundle,
    audios: Sequence[str] | None = None,
    profiles: PathName | None = None,
    name: str | None = None,
) -> Compare | None:
    """Choose the speaker to compare with: that of recordings, or one who is enrolled.

    Args:
        bundle: compares.
        audios: recordings of a speaker, compared with as `Bundle.verify` does.
        profiles: file of enrolled speakers.
        name: one of these, compared with as identification does.

    Raises:
        DataError: no one is enrolled under this name, or a recording is unusable.
        AsdkitError: both are given, or a name without a file.
    """
    if audios and name is not None:
        raise AsdkitError("--enroll and --profile are two speakers; choose one")
    if audios:
        x = np.stack([bundle.embed(audio) for audio in audios])
        return lambda test: bundle.comparison.score(x, test)
    if name is None:
        return None
    if profiles is None:
        raise AsdkitError("--profile needs --profiles, the file with it")
    people = People(bundle, profiles).profiles.read()
    enrolled = [person.embedding for person in people if person.name == name]
    if not enrolled:
        problem = f"no one is enrolled as {name!r}"
        raise DataError(profiles, problem, hint="asdkit profile-list")
    return lambda test: mean_score(bundle, enrolled, test)


@contextlib.contextmanager
def open_source(
    pcm: Pcm, max_sec: float, microphone: bool
) -> Iterator[tuple[Arrivals, str]]:
    """Open standard input or a microphone; give what arrives, and its name.

    Raises:
        DataError: standard input is a terminal.
        AsdkitError: there is no microphone.
    """
    if microphone:
        arrivals, stream = open_microphone(pcm)
        with contextlib.closing(stream):
            yield arrivals, "the microphone"
        return
    name = "standard input"
    if sys.stdin.isatty():
        problem = "expected samples, got a terminal"
        raise DataError(name, problem, hint=f"{PIPE}, or --microphone true")
    most = round(max_sec * pcm.rate) * pcm.width
    yield read_pipe(sys.stdin.fileno(), most), name


def read_pipe(descriptor: int, most: int) -> Arrivals:
    """Read a pipe in a thread of its own, so that who writes never waits for us.

    Args:
        descriptor: of an open file.
        most: bytes after which it is left alone.
    """
    arrivals = Arrivals()

    def pump() -> None:
        left = most
        while left > 0 and (data := os.read(descriptor, min(BLOCK, left))):
            left -= len(data)
            arrivals.put(data)
        arrivals.end()

    threading.Thread(target=pump, daemon=True).start()
    return arrivals


def open_microphone(pcm: Pcm) -> tuple[Arrivals, Any]:
    """Record from the default microphone until the second result is closed.

    Raises:
        AsdkitError: sounddevice is not installed, or there is no microphone.
    """
    sounddevice = require("sounddevice", MICROPHONE)
    arrivals = Arrivals()
    try:
        stream = sounddevice.RawInputStream(
            samplerate=pcm.rate,
            channels=1,
            dtype={"s16le": "int16", "f32le": "float32"}[pcm.encoding],
            callback=lambda data, *_: arrivals.put(bytes(data)),
        )
        stream.start()
    except sounddevice.PortAudioError as error:
        raise AsdkitError(f"no microphone: {error}") from None
    return arrivals, stream


def _in_words(verdict: Verdict) -> str:
    """Write a score and its decision."""
    score = verdict.score
    return f"{score.kind} {float(score):.3f}, {verdict.decision}"
