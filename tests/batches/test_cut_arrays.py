import numpy as np
import pytest
import soundfile

from asdkit.base.errors import DataError
from asdkit.batches.cut_arrays import (
    at_rate,
    load_feats,
    load_piece,
    load_samples,
    locate_feats,
    require_audio,
)
from asdkit.data.cuts import read_cuts
from asdkit.io.ark import ArkWriter, load_array, read_scp


@pytest.fixture
def cuts(speech):
    return list(read_cuts(speech, features=False))


@pytest.fixture
def stored(speech):
    return list(read_cuts(speech, features=True, voiced=True))


def replace_feats(cut, array):
    """Let an utterance have other features; return their location."""
    with ArkWriter("other", "feats") as writer:
        writer[cut.id] = array
    return read_scp(writer.scp)[cut.id]


def test_a_piece_is_a_random_part_of_the_recording(cuts, rng):
    samples = soundfile.read("s0-u4.flac", dtype="float32")[0]
    starts = set()
    for _ in range(20):
        piece = load_piece(cuts[4], 3000, rng)
        start = np.flatnonzero(samples == piece[0])
        start = [s for s in start if np.array_equal(samples[s : s + 3000], piece)]
        starts.add(start[0])
    assert len(starts) > 15


def test_a_piece_longer_than_the_recording_repeats_it(cuts, rng):
    samples = soundfile.read("s0-u0.flac", dtype="float32")[0]
    piece = load_piece(cuts[0], 20000, rng)
    np.testing.assert_array_equal(piece, np.concatenate([samples] * 3)[:20000])


@pytest.mark.parametrize("factor", [0.9, 1.1])
def test_a_piece_has_its_length_at_any_speed(cuts, rng, factor):
    for length in (3001, 16000, 50000):
        for cut in cuts:
            fast = cut.perturb_speed(factor)
            assert load_piece(fast, length, rng).shape == (length,)


def test_another_rate_is_resampled_and_said(cuts, caplog, rng):
    caplog.set_level("INFO")
    tone = np.sin(2 * np.pi * 440 * np.arange(8000) / 16000).astype(np.float32)
    soundfile.write("s0-u0.flac", tone, 16000)
    slow = at_rate(cuts, 8000)
    samples = load_samples(slow[0])
    expected = np.sin(2 * np.pi * 440 * np.arange(4000) / 8000)
    np.testing.assert_allclose(samples[100:-100], expected[100:-100], atol=0.01)
    assert load_piece(slow[0], 1000, rng).shape == (1000,)
    assert "10 of 10 recordings are resampled to 8000 Hz, from 16000 Hz" in caplog.text
    assert at_rate(cuts, 16000) == cuts


def test_missing_files_are_counted_before_anything_is_read(cuts, speech):
    require_audio(cuts)
    (speech.parent / "s0-u1.flac").unlink()
    (speech.parent / "s1-u0.flac").unlink()
    with pytest.raises(DataError, match=r"s0-u1\.flac: .* \(2 of 10 are missing\)"):
        require_audio(cuts)


def test_audio_that_went_missing_is_named(cuts, speech):
    (speech.parent / "s0-u1.flac").unlink()
    with pytest.raises(DataError, match=r"s0-u1\.flac: no such file"):
        load_samples(cuts[1])


def test_damaged_audio_is_named(cuts, speech):
    path = speech.parent / "s0-u1.flac"
    path.write_bytes(path.read_bytes()[:9000])
    with pytest.raises(DataError, match=r"s0-u1\.flac: "):
        load_samples(cuts[1])


@pytest.mark.parametrize("kind", ["file", "command"])
def test_a_sphere_file_is_read_as_everywhere_else(cuts, kind):
    """lhotse itself runs sph2pipe, or asks torchaudio what a command has written."""
    samples = soundfile.read("s0-u4.flac", dtype="float32")[0]
    soundfile.write("a.sph", samples, 16000, "PCM_16", format="NIST")
    (source,) = cuts[4].recording.sources
    source.type, source.source = kind, "a.sph" if kind == "file" else "cat a.sph"
    np.testing.assert_array_equal(load_samples(cuts[4]), samples)


@pytest.mark.parametrize("changed", [lambda cut: cut, lambda cut: cut.resample(24000)])
@pytest.mark.parametrize("rate", [8000, 22050])
def test_a_file_of_another_rate_than_the_manifest_says_is_named(
    cuts, rate, changed, rng
):
    """Chunks of up to a second were loaded, padded with their mirror image."""
    samples = soundfile.read("s0-u4.flac")[0]
    resampled = np.resize(samples, len(samples) * rate // 16000)
    soundfile.write("s0-u4.flac", resampled, rate)
    problem = f"s0-u4.flac: 's0-u4': expected 16000 Hz, as .* says, got {rate} Hz$"
    with pytest.raises(DataError, match=problem):
        load_samples(changed(cuts[4]))
    with pytest.raises(DataError, match=problem):
        load_piece(changed(cuts[4]).perturb_speed(1.1, affix_id=False), 3000, rng)


@pytest.mark.parametrize("speed", [1.0, 0.9])
@pytest.mark.parametrize("lost_sec", [1.0, 0.1])
def test_a_file_that_has_become_shorter_is_named(cuts, speed, lost_sec):
    samples = soundfile.read("s0-u4.flac")[0]
    sec = len(samples) / 16000
    soundfile.write("s0-u4.flac", samples[: -int(16000 * lost_sec)], 16000)
    cut = cuts[4].resample(8000).perturb_speed(speed, affix_id=False)
    left = sec - lost_sec
    problem = f"'s0-u4': expected {sec:.3f} s, as the manifest says, got {left:.3f} s"
    with pytest.raises(DataError, match=problem):
        load_samples(cut)


def test_samples_that_are_nan_are_named(cuts):
    samples = np.full(16000 * 5 // 10, np.nan, np.float32)
    soundfile.write("s0-u0.flac", samples, 16000, format="WAV", subtype="FLOAT")
    with pytest.raises(DataError, match="'s0-u0' holds NaN"):
        load_samples(cuts[0])


def test_features_come_without_the_frames_that_vad_rejects(stored):
    for cut, location in zip(stored, locate_feats(stored), strict=True):
        feats = load_feats(cut, location, 5)
        np.testing.assert_array_equal(feats, load_array(cut.id, location)[::3])
        assert feats.dtype == np.float32


@pytest.mark.usefixtures("damaged")
def test_features_of_another_shape_or_with_nan_are_named(stored):
    cut = stored[2]
    for array, words in (
        (np.ones((40, 7)), r"'s0-u2': expected frames of 5 numbers, got \(40, 7\)"),
        (np.ones(40), r"expected frames of 5 numbers, got \(40,\)"),
        (np.full((40, 5), np.nan), "'s0-u2' holds NaN"),
        (np.ones((40, 5)), "decisions for 40 frames"),
    ):
        location = replace_feats(cut, array)
        with pytest.raises(DataError, match=words):
            load_feats(cut, location, 5)


def test_features_of_another_length_than_the_table_says_are_named(stored):
    """Their utterances went into batches of others, and got other scores."""
    cut = stored[2].with_custom("vad", None)
    with pytest.raises(DataError, match=r"'s0-u2': expected 128 frames, as in utt2num"):
        load_feats(cut, replace_feats(cut, np.ones((40, 5))), 5)


def test_cuts_without_features_are_named(cuts, stored, speech):
    with pytest.raises(DataError, match="s0-u0: this cut has no features"):
        locate_feats(cuts)
    (speech / "feats.scp").write_text("s0-u0 ark/feats.ark:6\n")
    with pytest.raises(DataError, match=r"feats\.scp: 's0-u1' is not in it"):
        locate_feats(stored)
