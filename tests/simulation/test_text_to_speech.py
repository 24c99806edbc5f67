"""Synthesizers that are programs: how they are called, and what goes wrong."""

import io
import shutil
import subprocess

import numpy as np
import pytest
import soundfile

from asdkit.base.errors import AsdkitError
from asdkit.simulation import text_to_speech
from asdkit.simulation.text_to_speech import (
    DIPHONE_VOICES,
    HTS_VOICE,
    check_festival,
    espeak,
    festival,
    find_program,
    flite,
)

NAMES = {"espeak-ng": espeak, "flite": flite}


@pytest.fixture
def stub(monkeypatch):
    """Programs that write half a second of a tone, and remember their arguments."""
    calls = []
    tone = io.BytesIO()
    soundfile.write(tone, 0.1 * np.sin(np.arange(11025)), 22050, format="WAV")

    def run(command, **options):
        calls.append((command, options))
        return subprocess.CompletedProcess(command, 0, tone.getvalue(), b"")

    monkeypatch.setattr(text_to_speech.shutil, "which", lambda name: f"/bin/{name}")
    monkeypatch.setattr(text_to_speech.subprocess, "run", run)
    return calls


@pytest.mark.parametrize("name", NAMES)
def test_text_is_one_argument_and_never_sees_a_shell(name, stub, rng):
    text = "--x; $(rm -rf /) `id`"
    samples = NAMES[name](text, "f", 16000, rng)
    assert samples.shape == (8000,)  # resampled
    assert samples.dtype == np.float32
    ((command, options),) = stub
    assert command[0] == f"/bin/{name}"
    place = command.index(text.lower())
    assert command[place - 1] == {"espeak-ng": "--", "flite": "-t"}[name]
    assert "shell" not in options
    assert options["timeout"] > 0


@pytest.mark.parametrize("name", NAMES)
def test_the_generator_draws_voices_of_the_gender(name, stub, rng):
    for gender in [*"fm" * 20, None]:
        NAMES[name]("hello", gender, 16000, rng)
    voices = [command[command.index({"espeak-ng": "-v", "flite": "-voice"}[name]) + 1]
              for command, _ in stub]  # fmt: skip
    women, men = set(voices[:40:2]), set(voices[1:40:2])
    assert women.isdisjoint(men)
    assert len(men) > 2


def test_what_is_not_installed_is_named(monkeypatch):
    monkeypatch.setattr(text_to_speech.shutil, "which", lambda name: None)
    with pytest.raises(AsdkitError, match="flite is not installed") as raised:
        find_program("flite")
    assert "apt-get install flite" in raised.value.hint


def test_a_program_that_fails_or_hangs_is_one_line(stub, monkeypatch, rng):
    def fail(command, **options):
        return subprocess.CompletedProcess(command, 3, b"", b"first\nno voice\n")

    def hang(command, **options):
        raise subprocess.TimeoutExpired(command, options["timeout"])

    monkeypatch.setattr(text_to_speech.subprocess, "run", fail)
    with pytest.raises(AsdkitError, match="espeak-ng fails with 3: 'no voice'"):
        espeak("hello", "f", 16000, rng)
    monkeypatch.setattr(text_to_speech.subprocess, "run", hang)
    with pytest.raises(AsdkitError, match="flite took more than 120 s"):
        flite("hello", "f", 16000, rng)


@pytest.mark.parametrize("name", NAMES)
def test_the_program_itself_speaks(name):
    if shutil.which(name) is None:
        pytest.skip(f"{name} is optional")
    say = NAMES[name]
    first, again = (
        say("HELLO WORLD", "m", 16000, np.random.default_rng(1)) for _ in range(2)
    )
    assert 0.4 < len(first) / 16000 < 2.5
    assert first.std() > 0.01
    np.testing.assert_array_equal(first, again)


VOICES = {"diphones": DIPHONE_VOICES, "HMM": HTS_VOICE}


@pytest.fixture
def festival_stub(monkeypatch):
    """A festival that says a thousand samples, and remembers what it was given."""
    calls = []

    def run(command, **options):
        calls.append((command, options))
        said = np.arange(1000, dtype=np.int16).tobytes()
        return subprocess.CompletedProcess(
            command, 0, b"(kal_diphone)" if "(begin" in command[2] else said, b""
        )

    monkeypatch.setattr(text_to_speech.shutil, "which", lambda name: f"/bin/{name}")
    monkeypatch.setattr(text_to_speech.subprocess, "run", run)
    return calls


def test_festival_reads_its_text_from_stdin_in_the_rate_that_is_wanted(
    festival_stub, rng
):
    text = "A) (system rm)"
    for _ in range(20):
        samples = festival(text, 8000, rng)
    np.testing.assert_allclose(samples, np.arange(1000) / 32768)
    assert {call[2] for call, _ in festival_stub} == {f"({x})" for x in DIPHONE_VOICES}
    for command, options in festival_stub:
        assert options["input"] == text.lower().encode()
        assert text.lower() not in " ".join(command)
        assert command[-2:] == ["-F", "8000"]
        assert "shell" not in options


def test_a_voice_that_is_not_installed_is_named(festival_stub):
    check_festival({"voice_kal_diphone": "festvox-kallpc16k"})
    with pytest.raises(AsdkitError, match="voice_cmu_us_slt_arctic_hts") as raised:
        check_festival(HTS_VOICE)
    assert "apt-get install festvox-us-slt-hts" in raised.value.hint


def test_a_festival_that_fails_is_one_line(festival_stub, monkeypatch, rng):
    def fail(command, **options):
        return subprocess.CompletedProcess(command, 255, b"", b"SIOD ERROR\n")

    monkeypatch.setattr(text_to_speech.subprocess, "run", fail)
    with pytest.raises(AsdkitError, match="text2wave fails with 255: 'SIOD ERROR'"):
        festival("hello", 16000, rng)


@pytest.mark.parametrize("voices", VOICES.values(), ids=VOICES)
def test_festival_itself_speaks(voices):
    try:
        check_festival(voices)
    except AsdkitError as error:
        pytest.skip(str(error))
    first, again = (
        festival("HELLO WORLD", 16000, np.random.default_rng(1), voices)
        for _ in range(2)
    )
    assert 0.4 < len(first) / 16000 < 2.5
    assert first.std() > 0.01
    np.testing.assert_array_equal(first, again)
