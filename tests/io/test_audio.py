import io
import shutil

import numpy as np
import pytest
import soundfile

from asdkit.base.errors import DataError
from asdkit.io.audio import (
    open_audio,
    open_content,
    read_audio,
    read_samples,
    resample,
    stated_size,
    write_flac,
)

RATE = 16000


@pytest.fixture
def samples(rng):
    """One second in three channels, on the grid of 16-bit integers."""
    return rng.integers(-9000, 9000, (RATE, 3)) / np.float32(32768)


@pytest.fixture
def write(tmp_path):
    def write(name, samples, rate=RATE, **kwargs):
        path = str(tmp_path / name)
        soundfile.write(path, samples, rate, **kwargs)
        return path

    return write


@pytest.mark.parametrize(
    ("name", "subtype"),
    [("a.wav", "PCM_16"), ("a.wav", "FLOAT"), ("a.flac", "PCM_16"), ("a.sph", None)],
)
def test_lossless_containers_give_what_was_written(write, samples, name, subtype):
    kwargs = {"subtype": subtype} if subtype else {"format": "NIST"}
    path = write(name, samples[:, 0], **kwargs)
    read, rate = read_audio(path)
    assert rate == RATE
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, samples[:, 0])


@pytest.mark.parametrize("name", ["a.ogg", "a.mp3"])
def test_lossy_containers_are_read(write, name):
    tone = 0.5 * np.sin(np.arange(RATE) * 0.1)
    read, rate = read_audio(write(name, tone))
    assert rate == RATE
    assert np.corrcoef(read[:RATE], tone[: len(read)])[0, 1] > 0.95


def test_part_of_a_channel_is_read(write, samples):
    path = write("a.flac", samples)
    read, _ = read_audio(path, start=0.25, duration=0.5, channel=2)
    np.testing.assert_array_equal(read, samples[4000:12000, 2])


def test_many_parts_of_an_open_file_are_read(write, samples):
    path = write("a.flac", samples)
    with open_audio(path) as file:
        for start in (0.5, 0.0, 0.75):
            read = read_samples(file, path, start, 0.25, 1)
            first = round(start * RATE)
            np.testing.assert_array_equal(read, samples[first : first + 4000, 1])


def test_an_end_that_was_rounded_up_is_cut(write, samples):
    path = write("a.wav", samples[:, 0])
    read, _ = read_audio(path, duration=1.05)
    assert len(read) == RATE


def test_silence_is_legal(write):
    read, _ = read_audio(write("a.wav", np.zeros(100)))
    np.testing.assert_array_equal(read, 0)


@pytest.mark.parametrize("old_rate", [8000, 11025, 44100, 48000])
def test_resampling_keeps_a_tone(write, old_rate):
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(old_rate) / old_rate)
    read, rate = read_audio(write("a.wav", tone, old_rate), RATE)
    assert rate == RATE
    assert len(read) == RATE
    expected = 0.5 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)
    np.testing.assert_allclose(read[200:-200], expected[200:-200], atol=2e-3)


def test_the_rate_that_is_wanted_costs_nothing(samples):
    assert resample(samples[:, 0], RATE, RATE) is not None
    assert np.shares_memory(resample(samples[:, 0], RATE, RATE), samples)


def cut(path, share):
    """Keep only the first part of a file."""
    with open(path, "rb") as stream:
        data = stream.read()
    with open(path, "wb") as stream:
        stream.write(data[: int(share * len(data))])


@pytest.mark.parametrize("share", [0.5, 0.999])
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.wav", "expected 32000 bytes of audio, got only"),
        ("a.aiff", "expected 320.. bytes of audio, got only"),
        ("a.au", "expected 32000 bytes of audio, got only"),
        ("a.w64", "expected 32... bytes of audio, got only"),
        ("a.rf64", "expected 32... bytes of audio, got only"),
        ("a.flac", "damaged|expected 16000 samples, got only"),
        ("a.sph", "expected 16000 samples, got only"),
    ],
)
def test_half_a_file_is_an_error(write, samples, name, message, share):
    kwargs = {"format": "NIST"} if name.endswith("sph") else {}
    path = write(name, samples[:, 0], subtype="PCM_16", **kwargs)
    cut(path, share)
    with pytest.raises(DataError, match=message) as caught:
        read_audio(path)
    assert "cut short" in caught.value.hint


def test_a_wav_that_was_written_to_a_pipe_does_not_know_its_length(write, samples):
    path = write("a.wav", samples[:, 0], subtype="PCM_16")
    with open(path, "r+b") as stream:
        stream.seek(40)
        stream.write(b"\xff\xff\xff\xff")
    np.testing.assert_array_equal(read_audio(path)[0], samples[:, 0])


@pytest.mark.parametrize(
    ("bad", "message"),
    [(np.nan, "NaN or infinite"), (np.inf, "NaN or infinite")],
)
def test_samples_that_are_no_numbers_are_an_error(write, samples, bad, message):
    samples[99, 0] = bad
    path = write("a.wav", samples, subtype="FLOAT")
    with pytest.raises(DataError, match=message):
        read_audio(path)
    assert len(read_audio(path, channel=1)[0]) == RATE


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"channel": 3}, "expected a channel below 3, got channel 3"),
        ({"start": 1.0}, r"expected 1.00 s of audio, got 1.00 s"),
        ({"start": 0.5, "duration": 0.7}, r"expected 1.20 s of audio, got 1.00 s"),
        ({"start": 0.5, "duration": 0.0}, "expected 0 samples|got only 0"),
    ],
)
def test_what_is_not_in_the_file_is_an_error(write, samples, kwargs, message):
    path = write("a.wav", samples)
    with pytest.raises(DataError, match=message):
        read_audio(path, **kwargs)


def test_files_that_hold_no_sound_say_so(write, tmp_path):
    empty = tmp_path / "empty.wav"
    empty.touch()
    text = tmp_path / "text.wav"
    text.write_text("no sound\n" * 100)
    for path, message in [
        (tmp_path / "none.wav", "no such file"),
        (tmp_path / "wavs.ark:12", "no such file"),
        (empty, "expected audio, got an empty file"),
        (text, "cannot read it: Format not recognised"),
        (write("a.wav", np.zeros(0)), "expected audio, got no samples"),
        (tmp_path, "cannot read it"),
    ]:
        with pytest.raises(DataError, match=message) as caught:
            read_audio(str(path))
        assert caught.value.hint


def test_commands_run_only_when_they_are_allowed(write, samples, tmp_path):
    path = write("a.wav", samples[:, 0])
    witness = tmp_path / "witness"
    command = f"touch {witness}; cat {path}"
    with (
        pytest.raises(DataError, match="got a command") as caught,
        open_audio(command, is_command=True),
    ):
        pass
    assert caught.value.hint == "--allow-pipes true runs such commands"
    assert not witness.exists()
    with open_audio(command, is_command=True, allow_pipes=True) as file:
        np.testing.assert_array_equal(read_samples(file, command), samples[:, 0])
    assert witness.exists()


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("echo so sad >&2; exit 3", "the command fails with 3: 'so sad'"),
        ("echo text", "its output is no sound file"),
        ("true", "its output is no sound file"),
    ],
)
def test_commands_that_give_no_sound_say_so(command, message):
    with (
        pytest.raises(DataError, match=message),
        open_audio(command, is_command=True, allow_pipes=True),
    ):
        pass


def test_the_output_of_a_command_may_be_cut_short_too(write, samples):
    path = write("a.wav", samples[:, 0])
    head = shutil.which("head")
    command = f"{head} -c 1000 {path}"
    with (
        pytest.raises(DataError, match="expected 32000 bytes of audio, got only"),
        open_audio(command, is_command=True, allow_pipes=True),
    ):
        pass


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_samples_that_are_no_numbers_are_not_written(tmp_path, samples, bad):
    """soundfile raised an AssertionError, and said no name."""
    samples[7, 0] = bad
    with pytest.raises(DataError, match=r"a\.flac: it would hold NaN or infinite"):
        write_flac(tmp_path / "a.flac", samples[:, 0], RATE)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("form", ["WAV", "FLAC", "OGG", "MP3", "AIFF"])
def test_a_file_in_memory_is_read_as_one_on_disk(tmp_path, rng, form):
    path = tmp_path / f"x.{form.lower()}"
    sound = rng.normal(0, 0.1, (8000, 2))
    soundfile.write(path, sound, 16000, format=form)
    content = path.read_bytes()
    with open_audio(str(path)) as there, open_content("x", content) as here:
        expected = [read_samples(there, "x", channel=n) for n in (0, 1)]
        found = [read_samples(here, "x", channel=n) for n in (0, 1)]
    np.testing.assert_array_equal(found, expected)
    stated = stated_size("x", content)
    assert (stated.form, stated.sampling_rate, stated.num_channels) == (form, 16000, 2)
    assert form == "MP3" or stated.num_samples == 8000


@pytest.mark.parametrize("content", [b"", b"RIFF", b"no sound" * 99])
def test_what_is_no_sound_in_memory_is_named(content):
    with pytest.raises(DataError, match=r"^upload: "):
        stated_size("upload", content)
    with pytest.raises(DataError, match=r"^upload: "), open_content("upload", content):
        pass


def test_a_header_without_a_length_is_told_apart(rng):
    stream = io.BytesIO()
    soundfile.write(stream, rng.normal(0, 0.1, 8000), 16000, format="FLAC")
    content = bytearray(stream.getvalue())
    content[21] &= 0xF0
    content[22:26] = bytes(4)
    assert stated_size("x", bytes(content)).num_samples is None
