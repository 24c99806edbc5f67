"""Text-to-speech through external synthesizers."""

from __future__ import annotations

import io
import shutil
import subprocess

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


def _pick(
    voices: dict[str, tuple[str, ...]], gender: str | None, rng: np.random.Generator
) -> str:
    """Draw a synthesizer voice of a gender, or of any."""
    drawn = "fm"[rng.integers(2)]
    names = voices[(gender or drawn)[0].lower()]
    return names[rng.integers(len(names))]


def find_program(name: str) -> str:
    """Find a synthesizer.

    Raises:
        AsdkitError: it is not installed.
    """
    path = shutil.which(name)
    if path is None:
        hint = f"apt-get install {name}, or leave this attack out"
        raise AsdkitError(f"{name} is not installed", hint=hint)
    return path


def _run(command: list[str], sample_frequency: int) -> np.ndarray:
    """Run a program that writes a sound file to its stdout: (L,) float32."""
    name, *arguments = command
    try:
        # No shell: the text is one argument, whatever is in it.
        done = subprocess.run(  # noqa: S603
            [find_program(name), *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT_SEC,
        )
        samples, rate = soundfile.read(io.BytesIO(done.stdout), dtype="float32")
    except subprocess.TimeoutExpired:
        raise AsdkitError(f"{name} took more than {TIMEOUT_SEC} s") from None
    except soundfile.LibsndfileError:
        said = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise AsdkitError(f"{name} fails with {done.returncode}: {said!r}") from None
    return resample(samples, rate, sample_frequency)
