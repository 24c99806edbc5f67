import numpy as np
import pytest
import soundfile

from asdkit.base.errors import DataError
from asdkit.batches.augmentation import Augmentation
from asdkit.batches.feature_config import FeatureConfig
from asdkit.batches.frame_sources import (
    CenteredFrames,
    ComputedFrames,
    DeltaFrames,
    StoredFrames,
)
from asdkit.batches.noises import DrawnNoises, DrawnRooms
from asdkit.data.cuts import read_cuts
from asdkit.features.cmn import sliding_cmn
from asdkit.features.deltas import add_deltas
from asdkit.features.mel import Fbank
from asdkit.io.ark import read_arrays

FBANK = Fbank(num_mel_bins=20, dither=0.0)


@pytest.fixture
def cuts(speech):
    return list(read_cuts(speech, features=False))


@pytest.fixture(params=[0, 2**20])
def stored(speech, request):
    """A frames without and with a cache."""
    return StoredFrames(read_cuts(speech, features=True), max_cached=request.param)


def test_stored_utterances_are_those_of_the_archive(stored, speech):
    arrays = list(read_arrays(f"scp:{speech}/feats.scp"))
    assert stored.dim == 5
    for place, (utt, feats) in enumerate(arrays):
        assert stored.cuts[place].id == utt
        assert stored.num_frames[place] == len(feats)
        np.testing.assert_array_equal(stored.whole(place), feats)


def test_a_stored_chunk_is_a_random_part(stored, rng):
    starts = set()
    for _ in range(100):
        chunk, copy = stored.chunk(4, 30, rng)
        start = int(chunk[0, 0])
        np.testing.assert_array_equal(chunk, stored.whole(4)[start : start + 30])
        assert copy == 0
        starts.add(start)
    assert min(starts) < 20
    assert max(starts) > 158  # 208 frames have 179 chunks of 30


def test_a_stored_chunk_of_the_very_length_is_the_utterance(stored, rng):
    chunk, _ = stored.chunk(0, 48, rng)
    np.testing.assert_array_equal(chunk, stored.whole(0))


def test_a_short_stored_utterance_is_repeated(stored, rng):
    chunk, _ = stored.chunk(0, 120, rng)
    assert chunk[:, 0].tolist() == [*range(48), *range(48), *range(24)]


def test_a_cache_is_read_once_and_only_if_all_fits(speech, monkeypatch):
    cuts = list(read_cuts(speech, features=True))
    read = []
    load = StoredFrames.whole.__globals__["load_feats"]
    monkeypatch.setattr(
        "asdkit.batches.frame_sources.load_feats",
        lambda *args: read.append(args) or load(*args),
    )
    size = sum(cut.features.num_frames for cut in cuts) * 5 * 4
    for max_cached, at_first, later in (size, 10, 10), (size - 1, 0, 3):
        read.clear()
        frames = StoredFrames(cuts, max_cached)
        assert len(read) == at_first
        for _ in range(3):
            frames.whole(1)
        assert len(read) == later


def test_a_voiced_lane_counts_voiced_frames_only(speech):
    frames = StoredFrames(read_cuts(speech, features=True, voiced=True))
    assert frames.num_frames.tolist() == [len(frames.whole(i)) for i in range(10)]
    assert frames.whole(0)[:, 0].tolist() == list(range(0, 48, 3))


def test_directories_may_be_joined_if_their_features_agree(speech, rng):
    import shutil

    from asdkit.io.ark import ArkWriter

    other = speech.with_name("other")
    shutil.copytree(speech, other)
    with ArkWriter("other_ark", "feats") as writer:
        for i in range(5):
            writer[f"s0-u{i}"] = rng.standard_normal((60, 6))
    (other / "feats.scp").write_text(writer.scp.read_text())
    (other / "utt2num_frames").unlink(missing_ok=True)
    first = list(read_cuts(speech, features=True))
    second = list(read_cuts(other, features=True))
    frames = StoredFrames([first[0], second[1], first[1]], max_cached=0)
    assert len(frames.whole(2)) == frames.num_frames[2]
    with pytest.raises(DataError, match="'s0-u1': expected frames of 5 numbers"):
        frames.whole(1)


def test_audio_of_a_whole_utterance_gives_the_features_of_feats_compute(cuts):
    frames = ComputedFrames(cuts, FBANK)
    for place, cut in enumerate(cuts):
        samples = soundfile.read(f"{cut.id}.flac", dtype="float32")[0]
        feats = frames.whole(place)
        np.testing.assert_array_equal(feats, FBANK(samples))
        assert frames.num_frames[place] == len(feats)


def test_a_plain_chunk_of_audio_is_a_part_of_the_utterance(cuts, rng):
    frames = ComputedFrames(cuts, FBANK)
    samples = soundfile.read("s0-u4.flac", dtype="float32")[0]
    chunk, copy = frames.chunk(4, 10, np.random.default_rng(5))
    draws = np.random.default_rng(5)
    draws.integers(1)  # of the speed
    length = 9 * 160 + 400
    start = draws.integers(len(samples) - length + 1)
    np.testing.assert_array_equal(chunk, FBANK(samples[start : start + length]))
    assert copy == 0


@pytest.mark.parametrize("snip_edges", [True, False])
def test_chunks_have_their_length_whatever_happens_to_them(cuts, rng, snip_edges):
    frames = ComputedFrames(
        cuts,
        Fbank(num_mel_bins=20, snip_edges=snip_edges),
        speeds=(1.0, 0.9, 1.1),
        augmentation=Augmentation(DrawnRooms(), DrawnNoises(cuts), prob=1.0),
    )
    copies = set()
    for number in range(60):
        chunk, copy = frames.chunk(number % 10, 70, rng)
        assert chunk.shape == (70, 20)
        assert chunk.dtype == np.float32
        assert np.isfinite(chunk).all()
        copies.add(copy)
    assert copies == {0, 1, 2}


def test_a_faster_voice_is_higher(cuts):
    tone = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(32000) / 16000)
    soundfile.write("s0-u4.flac", tone[:33600], 16000)
    cut = read_cuts("data", features=False)["s0-u3"]
    soundfile.write("s0-u3.flac", tone[: cut.num_samples], 16000)
    frames = ComputedFrames(
        [cut], Fbank(num_mel_bins=80, dither=0.0), speeds=(1, 0.8, 1.25)
    )
    peaks = {}
    for seed in range(20):
        chunk, copy = frames.chunk(0, 50, np.random.default_rng(seed))
        peaks[copy] = int(chunk.mean(axis=0).argmax())
    assert peaks[1] < peaks[0] < peaks[2]


def test_speeds_are_classes_only_if_wanted(cuts, rng):
    frames = ComputedFrames(cuts, FBANK, speeds=(1.0, 0.9, 1.1), speed_classes=False)
    assert frames.num_copies == 1
    assert {frames.chunk(0, 20, rng)[1] for _ in range(20)} == {0}
    assert ComputedFrames(cuts, FBANK, speeds=(1.0, 0.9, 1.1)).num_copies == 3
    with pytest.raises(ValueError, match=r"begin with 1\.0"):
        ComputedFrames(cuts, FBANK, speeds=(0.9, 1.1))


def test_missing_audio_is_an_error_before_training(cuts, speech):
    (speech.parent / "s1-u2.flac").unlink()
    with pytest.raises(DataError, match=r"s1-u2\.flac: no such file \(1 of 10"):
        ComputedFrames(cuts, FBANK)


def test_derivatives_are_those_of_the_chunk(stored, speech):
    frames = DeltaFrames(stored, delta_order=2)
    assert (frames.dim, frames.num_copies) == (15, 1)
    np.testing.assert_array_equal(frames.whole(3), add_deltas(stored.whole(3), 1, 2))
    plain, _ = stored.chunk(4, 30, np.random.default_rng(1))
    chunk, copy = frames.chunk(4, 30, np.random.default_rng(1))
    np.testing.assert_array_equal(chunk, add_deltas(plain, 1, 2))
    assert copy == 0


def test_a_sliding_mean_is_that_of_all_frames_with_the_pauses(speech):
    """As Kaldi pipes apply-cmvn-sliding into select-voiced-frames."""
    vad = dict(read_arrays(f"scp:{speech}/vad.scp"))
    config = FeatureConfig(voiced=True, subtract_mean=False, cmn_window=30)
    frames = config.open_frames(config.read_cuts(speech))
    for place, (utt, feats) in enumerate(read_arrays(f"scp:{speech}/feats.scp")):
        expected = sliding_cmn(feats, 30, center=True)[vad[utt] > 0]
        np.testing.assert_array_equal(frames.whole(place), expected)
        np.testing.assert_array_equal(config.prepare(feats, vad[utt] > 0), expected)


def test_computed_frames_lose_the_sliding_mean_of_their_chunk(cuts):
    plain = ComputedFrames(cuts, FBANK)
    config = FeatureConfig.computed_by(FBANK, subtract_mean=False, cmn_window=30)
    frames = config.prepared(plain)
    assert isinstance(frames, CenteredFrames)
    whole = sliding_cmn(plain.whole(3), 30, center=True)
    np.testing.assert_array_equal(frames.whole(3), whole)
    before, _ = plain.chunk(3, 40, np.random.default_rng(1))
    chunk, copy = frames.chunk(3, 40, np.random.default_rng(1))
    np.testing.assert_array_equal(chunk, sliding_cmn(before, 30, center=True))
    assert (copy, frames.dim, frames.num_copies) == (0, plain.dim, 1)
