"""Less audio than a header states is never taken for the whole."""

import io

import numpy as np
import pytest
import soundfile

from asdkit.base.errors import DataError
from asdkit.io.lengths import STATE_LENGTH, check_length, require_pages, require_samples

RATE = 16000
FORMS = {"WAV": "PCM_16", "AIFF": "PCM_16", "AU": "PCM_16", "NIST": "PCM_16"}
FORMS |= {"W64": "PCM_16", "OGG": "VORBIS", "AVR": "PCM_16", "RF64": "PCM_16"}


def encode(form, num_samples=RATE):
    samples = 0.1 * np.random.default_rng(0).standard_normal(num_samples)
    stream = io.BytesIO()
    soundfile.write(stream, samples, RATE, format=form, subtype=FORMS[form])
    return stream.getvalue()


def check(data, form, path=None):
    """Open and check, from memory or from a file."""
    stream = io.BytesIO(data)
    if path is not None:
        path.write_bytes(data)
    with soundfile.SoundFile(stream if path is None else path) as file:
        check_length("a", stream if path is None else str(path), file, form)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("on_disk", [False, True])
def test_a_whole_file_is_whole(form, on_disk, tmp_path):
    check(encode(form), form, tmp_path / "a" if on_disk else None)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("on_disk", [False, True])
def test_a_file_cut_short_is_refused(form, on_disk, tmp_path):
    data = encode(form)
    with pytest.raises(DataError) as caught:
        check(data[: len(data) * 2 // 3], form, tmp_path / "a" if on_disk else None)
    assert "copy or convert it again" in caught.value.hint


def test_no_samples_are_no_audio():
    with pytest.raises(DataError, match="expected audio, got no samples"):
        check(encode("WAV", 0), "WAV")


def test_a_length_that_a_pipe_could_not_know_is_no_promise():
    """A program that writes to a pipe says 2 or 4 GB."""
    data = bytearray(encode("WAV"))
    place = data.index(b"data") + 4
    data[place : place + 4] = b"\xff\xff\xff\x7f"
    check(bytes(data), "WAV")


def test_too_few_samples_are_counted():
    require_samples("a", 3, 3)
    require_samples("a", 3, 4)
    with pytest.raises(DataError, match="a: expected 3 samples, got only 2"):
        require_samples("a", 3, 2)


def test_every_page_of_ogg_has_the_checksum_that_it_states(rng):
    """libsndfile wrote them; one changed byte anywhere in the content is found."""
    data = encode("OGG", 4 * RATE)
    assert data.count(b"OggS\0") > 2
    require_pages("a", io.BytesIO(data))
    for place in rng.integers(30, len(data), 20).tolist():
        damaged = bytearray(data)
        damaged[place] ^= 1 << int(rng.integers(8))
        with pytest.raises(DataError, match=r"Ogg at byte \d+"):
            require_pages("a", io.BytesIO(bytes(damaged)))


def test_formats_with_a_length_are_those_that_soundfile_knows():
    assert set(soundfile.available_formats()) >= STATE_LENGTH
