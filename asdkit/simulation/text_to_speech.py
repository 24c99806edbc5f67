"""Text-to-speech through external synthesizers."""

from __future__ import annotations

import io
import shutil
import subprocess
from collections.abc import Mapping

import numpy as np
import soundfile

from asdkit.base.errors import AsdkitError
from asdkit.simulation.channels import resample

# Voices of each gender; a speaker always gets the same.
ESPEAK_VOICES = {
    "f": ("en+f1", "en+f2", "en+f3", "en+f4", "en+f5"),
    "m": ("en+m1", "en+m2", "en+m3", "en+m4", "en+m5", "en+m6", "en+m7", "en+m8"),
}
FLITE_VOICES = {"f": ("slt",), "m": ("kal16", "awb", "rms")}
# Of festival: diphones of two men, hidden Markov models of a woman.
DIPHONE_VOICES = {
    "voice_kal_diphone": "festvox-kallpc16k",
    "voice_ked_diphone": "festvox-kdlpc16k",
}
HTS_VOICE = {"voice_cmu_us_slt_arctic_hts": "festvox-us-slt-hts"}
FESTIVAL = "text2wave"  # festival's program
TIMEOUT_SEC = 120


def espeak(
    text: str, gender: str | None, sample_frequency: int, rng: np.random.Generator
) -> np.ndarray:
    """Read English with espeak-ng, a formant synthesizer.

    Args:
        text: text to read.
        gender: "f" or "m"; None: random.
        sample_frequency: in Hz.
        rng: draws voice, pitch and tempo.

    Returns:
        (L,) float32.

    Raises:
        AsdkitError: it is not installed, or fails.
    """
    voice = _pick(ESPEAK_VOICES, gender, rng)
    pitch, words_per_minute = rng.integers(30, 70), rng.integers(140, 190)
    style = ["-v", voice, "-p", str(pitch), "-s", str(words_per_minute)]
    command = ["espeak-ng", "--stdout", *style, "--", text.lower()]
    return _run(command, sample_frequency)


def flite(
    text: str, gender: str | None, sample_frequency: int, rng: np.random.Generator
) -> np.ndarray:
    """Read English with flite, by diphones or HMMs.

    Args:
        text: text to read.
        gender: "f" or "m"; None: random.
        sample_frequency: in Hz.
        rng: draws voice and tempo.

    Returns:
        (L,) float32.

    Raises:
        AsdkitError: it is not installed, or fails.
    """
    voice = _pick(FLITE_VOICES, gender, rng)
    stretch = f"duration_stretch={rng.uniform(0.9, 1.2):.3f}"
    style = ["-voice", voice, "--setf", stretch]
    command = ["flite", *style, "-t", text.lower(), "-o", "/dev/stdout"]
    return _run(command, sample_frequency)


def festival(
    text: str,
    sample_frequency: int,
    rng: np.random.Generator,
    voices: Mapping[str, str] = DIPHONE_VOICES,
) -> np.ndarray:
    """Read English with festival.

    Args:
        text: text to read.
        sample_frequency: in Hz.
        rng: draws voice and tempo; voices of hidden Markov models have their own tempo.
        voices: names, and the packages that have them.

    Returns:
        (L,) float32.

    Raises:
        AsdkitError: festival is not installed, or fails.
    """
    voice = [*voices][rng.integers(len(voices))]
    tempo = f"(Parameter.set 'Duration_Stretch {rng.uniform(0.9, 1.3):.3f})"
    style = ["-eval", f"({voice})", "-eval", tempo]
    # Its sound files do not say how long they are, where they are written to a pipe.
    form = ["-otype", "raw", "-F", str(sample_frequency)]
    done = _call([FESTIVAL, *style, *form], text.lower())
    samples = np.frombuffer(done.stdout[: len(done.stdout) // 2 * 2], np.int16)
    if done.returncode or not len(samples):
        raise _failure(FESTIVAL, done)
    return samples.astype(np.float32) / 32768


def check_festival(voices: Mapping[str, str] = DIPHONE_VOICES) -> None:
    """Find festival and its voices.

    Raises:
        AsdkitError: one of them is not installed.
    """
    find_program(FESTIVAL, "festival")
    known = _call([FESTIVAL, "-eval", "(begin (print (voice.list)) (quit))"])
    for voice, package in voices.items():
        if voice.removeprefix("voice_") not in known.stdout.decode(errors="replace"):
            hint = f"apt-get install {package}, or leave this attack out"
            raise AsdkitError(f"festival's {voice} is not installed", hint=hint)


def _pick(
    voices: dict[str, tuple[str, ...]], gender: str | None, rng: np.random.Generator
) -> str:
    """Draw a synthesizer voice of a gender, or of any."""
    drawn = "fm"[rng.integers(2)]
    names = voices[(gender or drawn)[0].lower()]
    return names[rng.integers(len(names))]


def find_program(name: str, package: str = "") -> str:
    """Find a synthesizer.

    Raises:
        AsdkitError: it is not installed.
    """
    path = shutil.which(name)
    if path is None:
        hint = f"apt-get install {package or name}, or leave this attack out"
        raise AsdkitError(f"{package or name} is not installed", hint=hint)
    return path


def _run(command: list[str], sample_frequency: int) -> np.ndarray:
    """Run a program that writes a sound file to its stdout: (L,) float32."""
    done = _call(command)
    try:
        samples, rate = soundfile.read(io.BytesIO(done.stdout), dtype="float32")
    except soundfile.LibsndfileError:
        raise _failure(command[0], done) from None
    return resample(samples, rate, sample_frequency)


def _call(command: list[str], text: str = "") -> subprocess.CompletedProcess[bytes]:
    """Run a program with a text as its stdin."""
    name, *arguments = command
    try:
        # No shell: the text is one argument or stdin, whatever is in it.
        return subprocess.run(  # noqa: S603
            [find_program(name), *arguments],
            input=text.encode(),
            capture_output=True,
            timeout=TIMEOUT_SEC,
        )
    except subprocess.TimeoutExpired:
        raise AsdkitError(f"{name} took more than {TIMEOUT_SEC} s") from None


def _failure(name: str, done: subprocess.CompletedProcess[bytes]) -> AsdkitError:
    """Say in one line how a program failed."""
    said = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
    return AsdkitError(f"{name} fails with {done.returncode}: {said!r}")
