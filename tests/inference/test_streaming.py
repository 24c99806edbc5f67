"""Decisions while speech comes: the last one is that about a file."""

import io
import os
import sys
import threading
import time
import types

import numpy as np
import pytest
import soundfile

from asdkit.base.errors import AsdkitError, DataError
from asdkit.inference.bundle import Bundle
from asdkit.inference.people import People
from asdkit.inference.streaming import (
    Arrivals,
    Listener,
    Pcm,
    open_microphone,
    open_source,
    read_pipe,
    speaker_of,
)
from asdkit.inference.voices import TooLittleSpeech

pytestmark = pytest.mark.slow  # a bundle is made first


@pytest.fixture(scope="module")
def bundle(small_bundle):
    return Bundle.open(small_bundle / "model")


def arrived(data, block=999):
    """Bytes that are all there, in blocks of an odd size."""
    arrivals = Arrivals()
    for start in range(0, len(data), block):
        arrivals.put(data[start : start + block])
    arrivals.end()
    return arrivals


def listen(bundle, data, pcm=None, speaker=None, **options):
    listener = Listener(bundle, pcm or Pcm(), speaker, **options)
    return listener, list(listener.updates(arrived(data), "standard input"))


@pytest.mark.parametrize("rate", [8000, 16000, 44100])
@pytest.mark.parametrize("encoding", ["s16le", "f32le"])
def test_the_last_decision_is_that_of_verify(
    bundle, small_bundle, tmp_path, rng, rate, encoding
):
    kind, subtype = {"s16le": ("<i2", "PCM_16"), "f32le": ("<f4", "FLOAT")}[encoding]
    sound = rng.normal(0, 0.1, round(2.6 * rate))
    path = tmp_path / "x.wav"
    soundfile.write(path, sound, rate, subtype=subtype)
    dtype = "int16" if encoding == "s16le" else "float32"
    data = soundfile.read(path, dtype=dtype)[0].astype(kind).tobytes()
    enroll = [str(small_bundle / f"{n}.wav") for n in (0, 4)]
    speaker = speaker_of(bundle, enroll)
    _, updates = listen(bundle, data, Pcm(rate, encoding), speaker)
    assert [round(x.total_sec, 2) for x in updates] == [1.0, 2.0, 2.6]
    verdict = bundle.verify(*enroll, path)
    assert float(updates[-1].verdict.score) == float(verdict.score)
    assert float(updates[-1].verdict.spoof.score) == float(verdict.spoof.score)
    assert updates[-1].verdict.decision == verdict.decision
    assert float(updates[0].verdict.score) != float(verdict.score)


def pcm_of(path):
    return soundfile.read(path, dtype="int16")[0].astype("<i2").tobytes()


def test_an_enrolled_speaker_has_the_score_of_identification(
    bundle, small_bundle, tmp_path
):
    people = People(bundle, tmp_path / "p.sqlite")
    people.enroll("ann", [small_bundle / "0.wav", small_bundle / "4.wav"])
    ranking = people.rank(small_bundle / "7.wav")
    speaker = speaker_of(bundle, profiles=tmp_path / "p.sqlite", name="ann")
    _, updates = listen(bundle, pcm_of(small_bundle / "7.wav"), speaker=speaker)
    assert float(updates[-1].verdict.score) == float(ranking.verdicts["ann"].score)
    with pytest.raises(DataError, match="no one is enrolled as 'bob'"):
        speaker_of(bundle, profiles=tmp_path / "p.sqlite", name="bob")


def test_a_speaker_is_one(bundle):
    with pytest.raises(AsdkitError, match="choose one"):
        speaker_of(bundle, ["a.wav"], "p.sqlite", "ann")
    with pytest.raises(AsdkitError, match="--profile needs --profiles"):
        speaker_of(bundle, name="ann")
    assert speaker_of(bundle) is None


def test_without_a_speaker_spoofing_is_detected(bundle, small_bundle):
    data = pcm_of(small_bundle / "4.wav")
    listener, updates = listen(bundle, data + b"\1")
    score = float(bundle.detect_voice(small_bundle / "4.wav").score)
    assert float(updates[-1].verdict.score) == score
    assert listener.num_odd == 1
    assert "the end is no sample: 1 of its bytes" in listener.summary(0.5)
    assert "0.1000 s of CPU per second" in listener.summary(0.5)
    assert updates[-1].as_dict()["total_sec"] == 5.0


def test_silence_is_told_each_second_and_an_error_in_the_end(bundle):
    listener = Listener(bundle, Pcm())
    updates = listener.updates(arrived(bytes(2 * 40000)), "standard input")
    found = []
    with pytest.raises(
        TooLittleSpeech, match=r"standard input: no speech: found 0\.00"
    ):
        found.extend(updates)
    listener = Listener(bundle, Pcm())
    updates = listener.updates(arrived(bytes(2 * 40000)), "standard input")
    first = next(updates)
    assert first.verdict is None
    assert "no speech" in str(first)
    assert first.as_dict()["decision"] is None


def test_speech_that_is_too_short_at_first_is_enough_later(bundle, rng):
    speech = (3000 * rng.normal(size=32000)).astype("<i2")
    _, updates = listen(bundle, speech.tobytes(), every_sec=0.3)
    assert updates[0].verdict is None
    assert "too little speech" in updates[0].speech
    assert updates[-1].verdict is not None


@pytest.mark.parametrize("data", [b"", b"\1"])
def test_nothing_is_an_error(bundle, data):
    with pytest.raises(DataError, match="standard input: expected samples, got none"):
        listen(bundle, data)


def test_numbers_that_are_no_sound_are_refused(bundle):
    pcm = Pcm(encoding="f32le")
    for value, said in ((np.nan, "NaN"), (30000.0, "in \\[-1, 1\\)")):
        data = np.full(20000, value, "<f4").tobytes()
        with pytest.raises(DataError, match=f"standard input: .*{said}"):
            listen(bundle, data, pcm)
    with pytest.raises(DataError, match="sampling rate"):
        Listener(bundle, Pcm(rate=10**9))


def test_no_more_is_heard_than_verify_uses(bundle, small_bundle, rng, monkeypatch):
    monkeypatch.setattr(bundle, "max_sec", 2.5)
    sound = (3000 * rng.normal(size=16000 * 4)).astype("<i2")
    listener, updates = listen(bundle, sound.tobytes())
    assert [x.total_sec for x in updates] == [1.0, 2.0, 2.5]
    assert "only its first 2.5 s" in listener.summary(0)


def test_a_slow_decision_makes_the_next_come_later(bundle, small_bundle, monkeypatch):
    """So that who speaks is never far ahead of who listens."""
    listener = Listener(bundle, Pcm())
    judge = listener.judge

    def slow(samples):
        time.sleep(1.5)
        return judge(samples)

    monkeypatch.setattr(listener, "judge", slow)
    updates = listener.updates(arrived(pcm_of(small_bundle / "4.wav")), "x")
    assert [round(next(updates).total_sec, 1) for _ in range(2)] == [
        1.0,
        pytest.approx(2.5, abs=0.2),
    ]


def test_the_delay_is_from_the_last_sample_to_the_answer(bundle, small_bundle):
    arrivals = Arrivals()
    data = pcm_of(small_bundle / "6.wav")

    def speak():
        for start in range(0, len(data), 16000):
            time.sleep(0.1)
            arrivals.put(data[start : start + 16000])
        arrivals.end()

    threading.Thread(target=speak).start()
    updates = list(Listener(bundle, Pcm()).updates(arrivals, "x"))
    assert len(updates) == 2
    assert all(0 < x.delay_sec < 2 for x in updates)


def test_a_pipe_is_read_to_its_end_and_no_further_than_needed(monkeypatch):
    there, here = os.pipe()
    os.write(here, b"abcdef")
    os.close(here)
    assert read_pipe(there, 100).take(100)[0] == b"abcdef"
    os.close(there)
    there, here = os.pipe()
    os.write(here, b"abcdef")
    data, _, is_last = read_pipe(there, 4).take(100)
    assert (data, is_last) == (b"abcd", True)
    os.close(there)
    os.close(here)


def test_ctrl_c_ends_a_recording_with_its_decision(bundle, small_bundle, monkeypatch):
    arrivals = Arrivals()
    arrivals.put(pcm_of(small_bundle / "4.wav")[: 2 * 24000])
    take, calls = arrivals.take, []

    def interrupted(number):
        calls.append(number)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return take(number)

    monkeypatch.setattr(arrivals, "take", interrupted)
    updates = list(Listener(bundle, Pcm()).updates(arrivals, "the microphone"))
    assert [x.total_sec for x in updates] == [1.0, 1.5]


def test_a_microphone_gives_what_it_records(monkeypatch):
    class Stream:
        def __init__(self, **options):
            self.options = options

        def start(self):
            self.options["callback"](memoryview(b"\1\0\2\0"), 2, None, None)

        def close(self):
            self.options["callback"](b"", 0, None, None)

    fake = types.SimpleNamespace(RawInputStream=Stream, PortAudioError=OSError)
    monkeypatch.setitem(sys.modules, "sounddevice", fake)
    with open_source(Pcm(rate=8000), 60, True) as (arrivals, name):
        assert name == "the microphone"
        assert arrivals.take(4)[0] == b"\1\0\2\0"

    class Broken(Stream):
        def start(self):
            raise OSError("no default input device")

    fake.RawInputStream = Broken
    with pytest.raises(AsdkitError, match="no microphone: no default"):
        open_microphone(Pcm())


def test_a_terminal_is_no_sound(monkeypatch):
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stdin", terminal)
    with (
        pytest.raises(DataError, match="got a terminal"),
        open_source(Pcm(), 60, False),
    ):
        pass
