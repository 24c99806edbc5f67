import numpy as np
import pytest

from asdkit.base.errors import DataError
from asdkit.batches import gmm_frames as module
from asdkit.batches.gmm_frames import Frames, list_utts, read_frames, sample_frames
from asdkit.features.frontend import FrontEnd
from asdkit.io.ark import ArkWriter

PLAIN = FrontEnd(delta_order=0, cmn_window=0)


@pytest.fixture
def corpus(tmp_path, rng):
    """A data directory of ten utterances, every third frame voiced, and a writer."""
    data = tmp_path / "data"

    def write(name, arrays):
        with ArkWriter(tmp_path / "ark", name) as writer:
            for utt, array in arrays.items():
                writer[utt] = array
        data.mkdir(exist_ok=True)
        writer.scp.replace(data / f"{name}.scp")

    write.dir = data
    lengths = {f"u{i}": 30 + 10 * i for i in range(10)}
    write.feats = {
        utt: rng.standard_normal((n, 3)).astype(np.float32)
        for utt, n in lengths.items()
    }
    write.vad = {
        utt: np.arange(n).astype(np.float32) % 3 == 0 for utt, n in lengths.items()
    }
    write("feats", write.feats)
    write("vad", write.vad)
    return write


def names(batches):
    return [utt for batch in batches for utt in batch.utts]


def test_reads_the_voiced_frames_in_order(corpus):
    batches = list(read_frames(corpus.dir, PLAIN, max_frames=60))
    assert names(batches) == list_utts(corpus.dir)
    for batch in batches:
        assert len(batch.frames) <= 60
        assert batch.frames.dtype == np.float32
        for utt, part in zip(
            batch.utts, np.split(batch.frames, batch.splits[1:-1]), strict=True
        ):
            np.testing.assert_array_equal(part, corpus.feats[utt][::3])


def test_without_vad_every_frame_counts(corpus):
    (corpus.dir / "vad.scp").unlink()
    (batch,) = read_frames(corpus.dir, PLAIN)
    assert len(batch.frames) == sum(map(len, corpus.feats.values()))


def test_the_front_end_sees_the_pauses(corpus):
    frontend = FrontEnd(delta_window=2, delta_order=1, cmn_window=20)
    (batch,) = read_frames(corpus.dir, frontend, ["u3"])
    expected = frontend(corpus.feats["u3"], corpus.vad["u3"])
    np.testing.assert_array_equal(batch.frames, expected)


def test_a_long_utterance_is_a_batch_of_its_own(corpus):
    batches = list(read_frames(corpus.dir, PLAIN, ["u0", "u9", "u1"], max_frames=20))
    assert [b.utts for b in batches] == [["u0"], ["u9"], ["u1"]]


def test_subsampling_takes_every_nth_voiced_frame(corpus):
    (batch,) = read_frames(corpus.dir, PLAIN, ["u3"], subsample=4)
    np.testing.assert_array_equal(batch.frames, corpus.feats["u3"][::12])


def test_utterances_without_speech_are_skipped_and_told(corpus, caplog):
    corpus.vad["u4"] = np.zeros_like(corpus.vad["u4"])
    corpus("vad", corpus.vad)
    source = Frames(corpus.dir, PLAIN, max_cached=0)
    for _ in range(2):
        read = names(source)
        assert len(read) == 9
        assert "u4" not in read
    assert caplog.text.count("1 of 10 utterances have no voiced frame: skipped u4") == 1


def test_skipping_most_is_an_error(corpus):
    for utt in list(corpus.vad)[:6]:
        corpus.vad[utt][:] = False
    corpus("vad", corpus.vad)
    with pytest.raises(DataError, match="6 of 10 utterances have no voiced frame"):
        list(read_frames(corpus.dir, PLAIN))


@pytest.mark.parametrize("max_cached", [0, 1000, 10**9])
def test_frames_are_the_same_from_cache_and_disk(corpus, max_cached):
    source = Frames(corpus.dir, PLAIN, max_frames=50, max_cached=max_cached)
    first, second = list(source), list(source)
    assert len(first) == len(second) > 3
    for a, b in zip(first, second, strict=True):
        assert a.utts == b.utts
        np.testing.assert_array_equal(a.frames, b.frames)
    assert (first[0].frames is second[0].frames) == (max_cached == 10**9)


def test_an_interrupted_reading_is_not_taken_for_the_whole(corpus):
    source = Frames(corpus.dir, PLAIN, max_frames=50)
    next(iter(source))
    assert sum(len(batch.utts) for batch in source) == 10


def test_a_sample_has_as_many_frames_as_asked_for(corpus):
    sample = sample_frames(corpus.dir, PLAIN, num_frames=100)
    every = np.concatenate([b.frames for b in read_frames(corpus.dir, PLAIN)])
    assert sample.shape == (100, 3)
    rows = {row.tobytes() for row in every}
    assert len({row.tobytes() for row in sample} & rows) == 100
    again = sample_frames(corpus.dir, PLAIN, num_frames=100)
    np.testing.assert_array_equal(sample, again)
    other = sample_frames(corpus.dir, PLAIN, num_frames=100, seed=1)
    assert not np.array_equal(sample, other)


@pytest.mark.parametrize("with_vad", [True, False])
def test_a_sample_of_more_than_there_is_is_everything(corpus, with_vad):
    if not with_vad:
        (corpus.dir / "vad.scp").unlink()
    sample = sample_frames(corpus.dir, PLAIN)
    (batch,) = read_frames(corpus.dir, PLAIN)
    np.testing.assert_array_equal(sample, batch.frames)


def test_long_utterances_give_more_frames_than_short_ones(corpus):
    sample = sample_frames(corpus.dir, PLAIN, num_frames=100)
    rows = {row.tobytes() for row in sample}
    share = {
        utt: np.mean([row.tobytes() in rows for row in x[::3]])
        for utt, x in corpus.feats.items()
    }
    voiced = sum(len(x[::3]) for x in corpus.feats.values())
    np.testing.assert_allclose(list(share.values()), 100 / voiced, atol=0.1)


def test_a_sample_of_many_utterances_reads_only_some(corpus, monkeypatch):
    monkeypatch.setattr(module, "SAMPLED_UTTS", 3)
    monkeypatch.delattr(module, "read_frames")
    read = []

    def spy(data_dir, frontend, utts):
        read.extend(utts)
        return read_frames(data_dir, frontend, utts)

    monkeypatch.setattr(module, "read_frames", spy, raising=False)
    sample = sample_frames(corpus.dir, PLAIN, num_frames=20)
    assert len(sample) == 20
    assert len(read) == 3


def test_a_sample_of_silence_is_an_error(corpus):
    corpus("vad", {utt: np.zeros_like(x) for utt, x in corpus.vad.items()})
    with pytest.raises(DataError, match="none of 10 utterances has a voiced frame"):
        sample_frames(corpus.dir, PLAIN)


def change(arrays, utt, to):
    return {**arrays, utt: np.asarray(to, dtype=np.float32)}


@pytest.mark.parametrize(
    ("name", "utt", "to", "message"),
    [
        ("feats", "u2", np.full((50, 3), np.nan), "'u2' holds NaN or infinity"),
        ("feats", "u2", np.ones((50, 4)), "'u2' has 4 dimensions, those before 3"),
        ("feats", "u2", np.ones(50), r"'u2': expected a matrix, got \(50,\)"),
        ("vad", "u2", np.ones(49), "'u2': 49 decisions for 50 frames"),
    ],
)
@pytest.mark.usefixtures("damaged")
def test_what_does_not_fit_is_named(corpus, name, utt, to, message):
    corpus(name, change(getattr(corpus, name), utt, to))
    with pytest.raises(DataError, match=message):
        list(read_frames(corpus.dir, PLAIN))


def test_an_utterance_that_is_not_there_is_named(corpus):
    with pytest.raises(DataError, match=r"feats\.scp: 'u99' is not in it"):
        list(read_frames(corpus.dir, PLAIN, ["u1", "u99"]))
    del corpus.vad["u5"]
    corpus("vad", corpus.vad)
    with pytest.raises(DataError, match=r"vad\.scp: 'u5' is not in it"):
        list(read_frames(corpus.dir, PLAIN))


def test_an_empty_utterance_is_skipped(corpus):
    corpus("feats", change(corpus.feats, "u2", np.zeros((0, 3))))
    corpus("vad", change(corpus.vad, "u2", np.zeros(0)))
    assert sum(len(b.utts) for b in read_frames(corpus.dir, FrontEnd())) == 9


def test_a_missing_directory_is_named(tmp_path):
    with pytest.raises(DataError, match=r"feats\.scp: cannot read it"):
        list_utts(tmp_path / "nowhere")
