"""What is kept is what libsndfile reads, and memory has its limit."""

import numpy as np
import pytest
import soundfile

from asdkit.batches import kept_audio
from asdkit.batches.cut_arrays import load_piece, load_samples
from asdkit.batches.kept_audio import KeptAudio, find_kept, keep_audio, piece_of
from asdkit.data.cuts import read_cuts


@pytest.mark.parametrize("form", ["wav", "flac"])
@pytest.mark.parametrize("channels", [1, 2])
def test_pieces_are_those_of_libsndfile(rng, tmp_path, form, channels):
    path = f"{tmp_path}/a.{form}"
    samples = rng.integers(-32768, 32768, (5000, channels)).astype(np.int16)
    soundfile.write(path, samples, 16000, "PCM_16")
    found = KeptAudio().find(path)
    assert found.rate == 16000
    for start, size in ((0, -1), (100, 300), (4900, 500), (0, 5000)):
        with soundfile.SoundFile(path) as file:
            file.seek(start)
            expected = file.read(size, dtype="float32", always_2d=True).T
        piece = piece_of(found.samples, start, size)
        assert piece.dtype == np.float32
        np.testing.assert_array_equal(piece, expected)


def test_cuts_are_the_same_with_and_without(speech, rng):
    cuts = list(read_cuts(speech, features=False))
    cuts += [cut.perturb_speed(0.9) for cut in cuts] + [
        cut.resample(8000) for cut in cuts
    ]

    def read():
        draws = np.random.default_rng(0)
        return [x for c in cuts for x in (load_samples(c), load_piece(c, 999, draws))]

    before = read()
    with keep_audio() as kept:
        first, again = read(), read()
        assert kept.size == 2 * sum(
            c.recording.num_samples for c in cuts[: len(cuts) // 3]
        )
    assert find_kept("s0-u0.flac") is None
    for found in (first, again):
        for x, y in zip(before, found, strict=True):
            np.testing.assert_array_equal(x, y)


def test_what_is_kept_is_read_once(speech, monkeypatch):
    (cut, *_) = read_cuts(speech, features=False)
    opened = []
    real = kept_audio.open_stream
    monkeypatch.setattr(
        kept_audio, "open_stream", lambda *args: opened.append(args) or real(*args)
    )
    with keep_audio():
        for _ in range(3):
            load_samples(cut)
    assert len(opened) == 1


def test_what_is_long_or_not_of_16_bits_or_too_much_is_read_as_before(tmp_path):
    silence = np.zeros(61 * 1000)
    soundfile.write(f"{tmp_path}/long.wav", silence, 1000)
    soundfile.write(f"{tmp_path}/float.wav", silence[:100], 1000, "FLOAT")
    soundfile.write(f"{tmp_path}/short.wav", silence[:100], 1000)
    soundfile.write(f"{tmp_path}/next.wav", silence[:100], 1000)
    kept = KeptAudio(num_bytes=300)
    names = ("long", "float", "short", "next", "short")
    found = [kept.find(f"{tmp_path}/{name}.wav") is not None for name in names]
    assert found == [False, False, True, False, True]
    assert kept.size == 200
