"""Sound whose header does not tell how long it is: what decodes is what counts."""

import io
import os

import numpy as np
import pytest
import soundfile

from asdkit.base.errors import DataError
from asdkit.io.audio import open_audio, read_audio, read_samples
from asdkit.io.decoding import count_samples, open_mp3
from asdkit.io.headers import read_header, read_headers

RATE = 16000
PER_FRAME = 576  # samples of a frame of MPEG 2, III


@pytest.fixture
def sound(rng):
    """Loud noise that turns into silence: a bit rate that varies."""
    samples = 0.5 * rng.uniform(-1, 1, 2 * RATE)
    samples[RATE // 2 :] = 0
    return samples


@pytest.fixture
def unstated(sound, mp3_frames, tmp_path):
    """Path of an MP3 that states no length, and its number of samples."""
    frames = mp3_frames(sound)[1:]
    path = tmp_path / "unstated.mp3"
    path.write_bytes(b"".join(frames))
    return str(path), PER_FRAME * len(frames)


def test_an_mp3_of_varying_bit_rate_is_read_to_its_end(unstated):
    """libsndfile believes that all frames are as large as the first: 44 % were lost."""
    path, num_samples = unstated
    with soundfile.SoundFile(path) as file:
        assert file.frames < 0.6 * num_samples
    samples, rate = read_audio(path)
    assert (len(samples), rate) == (num_samples, RATE)
    assert count_samples(path) < num_samples  # libsndfile alone
    header = read_header(path)
    assert header == (RATE, num_samples, 1, "MP3")


def test_an_mp3_without_a_stated_length_has_the_samples_of_one_with_it(
    sound, mp3_frames, tmp_path
):
    frames = mp3_frames(sound)
    both = []
    for name, kept in (("stated.mp3", frames), ("unstated.mp3", frames[1:])):
        (tmp_path / name).write_bytes(b"".join(kept))
        both.append(read_audio(str(tmp_path / name))[0])
    stated, unstated = both
    assert len(stated) == len(sound)
    # LAME states that its first 1105 samples are none of the sound.
    shift = np.argmax(np.correlate(unstated, stated[: RATE // 4]))
    assert shift == 1105
    np.testing.assert_allclose(unstated[shift:][: len(stated)], stated, atol=1e-6)


def test_parts_of_such_an_mp3_are_those_of_the_whole(unstated):
    path, num_samples = unstated
    whole, _ = read_audio(path)
    with open_audio(path) as file:
        for start in (1.0, 0.0, 0.5, num_samples / RATE - 0.25):
            part = read_samples(file, path, start, 0.25)
            first = round(start * RATE)
            np.testing.assert_allclose(part, whole[first : first + 4000], atol=1e-6)
        with pytest.raises(DataError, match=r"expected 3\.00 s of audio, got 2"):
            read_samples(file, path, 1.0, 2.0)


def test_an_intact_mp3_with_a_tag_is_not_cut_short(unstated, tmp_path):
    """libsndfile counts the bytes of the tag as sound: the directory was refused."""
    path, num_samples = unstated
    tag = b"ID3\x04\x00\x00\x00\x00\x0f\x7f" + bytes(15 * 128 + 127)
    with open(path, "rb") as file:
        tagged = tag + file.read() + b"TAG" + bytes(125)
    (tmp_path / "tagged.mp3").write_bytes(tagged)
    samples, _ = read_audio(str(tmp_path / "tagged.mp3"))
    assert len(samples) == num_samples
    np.testing.assert_array_equal(samples, read_audio(path)[0])
    assert read_header(f"cat {tmp_path}/tagged.mp3", True).num_samples == num_samples


def test_an_mp3_that_states_its_length_and_holds_less_is_cut_short(
    sound, mp3_frames, tmp_path
):
    frames = mp3_frames(sound)
    path = tmp_path / "a.mp3"
    path.write_bytes(b"".join(frames[: len(frames) // 2]))
    for read in (read_audio, read_header):
        with pytest.raises(DataError, match="expected 32000 samples, got only 1") as e:
            read(str(path))
        assert "cut short" in e.value.hint


def test_an_mp3_is_counted_again_when_it_has_changed(unstated, sound, mp3_frames):
    path, num_samples = unstated
    with open_mp3(path) as file:
        assert file.frames == num_samples
    frames = mp3_frames(sound)[1:-5]
    with open(path, "wb") as file:
        file.write(b"".join(frames))
    with open_mp3(path) as file:
        assert file.frames == num_samples - 5 * PER_FRAME


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_a_page_of_ogg_that_is_not_all_there_is_found(rng, tmp_path, subtype):
    """Its length is in its last page, so that half a file had half the length."""
    path = tmp_path / "a.ogg"
    noise = 0.1 * rng.uniform(-1, 1, 20 * RATE)
    soundfile.write(path, noise, RATE, format="OGG", subtype=subtype)
    whole = path.read_bytes()
    assert read_header(str(path)) == (RATE, 20 * RATE, 1, "OGG")
    for share in (0.5, 0.9, 0.999):
        path.write_bytes(whole[: int(share * len(whole))])
        for read in (read_audio, read_header):
            with pytest.raises(DataError, match="its last page is cut off") as caught:
                read(str(path))
            assert "cut short" in caught.value.hint
    path.write_bytes(whole + b"and a tag of somebody")
    assert len(read_audio(str(path))[0]) == 20 * RATE


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_a_flipped_bit_of_ogg_is_found_at_import(rng, tmp_path, subtype):
    """A decoder leaves a changed page out, and the recording was that much shorter."""
    path = tmp_path / "a.ogg"
    noise = 0.1 * rng.uniform(-1, 1, 5 * RATE)
    soundfile.write(path, noise, RATE, format="OGG", subtype=subtype)
    whole = path.read_bytes()
    for place in rng.integers(len(whole), size=40):
        flipped = bytearray(whole)
        flipped[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(flipped)
        with pytest.raises(DataError, match=r"a\.ogg: "):
            read_header(str(path))


@pytest.fixture
def piped_flac(sound):
    """A FLAC file whose writer did not know its length."""
    stream = io.BytesIO()
    soundfile.write(stream, sound, RATE, format="FLAC")
    data = bytearray(stream.getvalue())
    data[21] &= 0xF0  # 36 bits, the number of samples
    data[22:26] = bytes(4)
    return bytes(data)


def test_a_flac_that_was_written_to_a_pipe_is_as_long_as_it_is(
    piped_flac, sound, tmp_path
):
    """libsndfile gives it 2**63 - 1 samples."""
    path = tmp_path / "a.flac"
    path.write_bytes(piped_flac)
    assert read_header(str(path))[:3] == (RATE, len(sound), 1)
    samples, _ = read_audio(str(path))
    np.testing.assert_allclose(samples, sound, atol=1 / 32768)
    part, _ = read_audio(str(path), start=0.25, duration=0.5)
    np.testing.assert_array_equal(part, samples[4000:12000])
    path.write_bytes(piped_flac[: len(piped_flac) // 2])
    with pytest.raises(DataError, match="lost sync"):
        read_header(str(path))


@pytest.mark.parametrize(
    ("name", "subtype"),
    [("a.wav", "GSM610"), ("a.wav", "G721_32"), ("a.au", "G723_24")],
)
def test_telephone_codecs_that_cannot_seek_are_read(sound, tmp_path, name, subtype):
    """They were refused as cut short."""
    path = str(tmp_path / name)
    soundfile.write(path, sound, 8000, subtype=subtype)
    samples, _ = read_audio(path)
    assert 0 <= len(samples) - len(sound) < 320  # a block of the codec
    assert read_header(path)[:3] == (8000, len(samples), 1)
    part, _ = read_audio(path, start=0.5, duration=0.25)
    np.testing.assert_array_equal(part, samples[4000:6000])


def test_what_was_decoded_to_be_counted_is_said(unstated, sound, tmp_path, caplog):
    caplog.set_level("INFO")
    path, _ = unstated
    soundfile.write(tmp_path / "a.wav", sound, RATE)
    soundfile.write(tmp_path / "a.ogg", sound, RATE)
    sources = {x: (x, False) for x in (path, f"{tmp_path}/a.wav", f"{tmp_path}/a.ogg")}
    read_headers(sources)
    assert "decoded 2 of 3 recordings to count their samples" in caplog.text
    assert "MP3 (1), OGG (1)" in caplog.text


def test_a_named_pipe_is_refused_instead_of_waited_for(tmp_path):

    os.mkfifo(tmp_path / "pipe.wav")
    for path, what in (
        (tmp_path / "pipe.wav", "a named pipe"),
        ("/dev/zero", "device"),
    ):
        with pytest.raises(DataError, match=f"expected a sound file, got .*{what}"):
            read_header(str(path))
