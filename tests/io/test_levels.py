"""Levels that are not those of sound are counted, and said once."""

import subprocess
import sys

import numpy as np
import pytest
import soundfile

from asdkit.io.audio import read_audio, write_flac
from asdkit.io.levels import LEVELS

RATE = 16000


@pytest.fixture(autouse=True)
def fresh():
    LEVELS.tell()


@pytest.fixture
def speech(rng):
    return (0.1 * rng.standard_normal(RATE)).astype(np.float32)


def read(tmp_path, **sounds):
    """Write sounds as floating-point WAV files and read these."""
    for name, samples in sounds.items():
        path = f"{tmp_path}/{name}.wav"
        soundfile.write(path, samples, RATE, subtype="FLOAT")
        read_audio(path)


def test_samples_far_outside_the_range_are_counted(tmp_path, speech, caplog):
    """Integers stored as floats gave useless features without a warning."""
    read(tmp_path, a=speech, b=32768 * speech, c=3000 * speech, d=1.3 * speech)
    LEVELS.tell()
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert "2 of 4 segments have samples far outside [-1, 1]" in record.getMessage()
    assert "b.wav" in record.getMessage()
    LEVELS.tell()
    assert len(caplog.records) == 1


@pytest.mark.parametrize(("others", "level"), [(0, "WARNING"), (5, "INFO")])
def test_clipped_recordings_are_counted(tmp_path, speech, caplog, others, level):
    caplog.set_level("INFO")
    sounds = {f"o{n}": speech for n in range(others)}
    read(tmp_path, **sounds, clipped=np.clip(20 * speech, -1, 1))
    LEVELS.tell()
    (record,) = caplog.records
    assert record.levelname == level
    assert f"1 of {others + 1} segments are clipped" in record.getMessage()


def test_loud_sound_is_not_clipped(tmp_path, rng, caplog):
    """A sine at full scale has 0.6 % of its samples within a step of its peak."""
    caplog.set_level("INFO")
    noise = rng.standard_normal(RATE)
    read(
        tmp_path,
        sine=np.sin(np.arange(RATE) * 0.1),
        noise=noise / np.abs(noise).max(),
        silence=np.zeros(RATE),
    )
    LEVELS.tell()
    assert not caplog.records


def test_mu_law_and_16_bits_are_clipped_at_their_own_full_scale(
    tmp_path, speech, caplog
):
    caplog.set_level("INFO")
    for subtype in ("ULAW", "PCM_16"):
        path = f"{tmp_path}/{subtype}.wav"
        soundfile.write(path, 20 * speech, RATE, subtype=subtype)
        read_audio(path)
    LEVELS.tell()
    assert "2 of 2 segments are clipped" in caplog.text


def test_what_writing_clips_is_counted(tmp_path, speech, caplog):
    write_flac(tmp_path / "a.flac", speech, RATE)
    write_flac(tmp_path / "b.flac", 20 * speech, RATE)
    LEVELS.tell()
    assert "1 files were clipped on writing; largest sample" in caplog.text
    assert "b.flac" in caplog.text


def test_a_worker_process_says_its_first(tmp_path, speech):
    """The counts of a process that prefetches batches are lost at its end."""
    code = """
import multiprocessing, logging
from asdkit.io.levels import LEVELS
import numpy as np

def work():
    for n in range(3):
        LEVELS.note_read("x.wav", np.ones(5), 9.0)

if __name__ == "__main__":
    logging.basicConfig()
    worker = multiprocessing.get_context("fork").Process(target=work)
    worker.start()
    worker.join()
"""
    script = tmp_path / "work.py"
    script.write_text(code)
    command = [sys.executable, str(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr.count("far outside") == 1
