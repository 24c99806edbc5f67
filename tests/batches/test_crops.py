import numpy as np
import pytest

from asdkit.batches.batches import ExtractionBatches
from asdkit.batches.crops import CroppedFrames
from asdkit.batches.frame_sources import StoredFrames
from asdkit.data.cuts import read_cuts


@pytest.fixture
def frames(speech):
    """The first feature is the number of the frame; utterances of 48 to 208 frames."""
    return StoredFrames(read_cuts(speech, features=True))


@pytest.mark.parametrize(
    ("crop", "first"), [("whole", 0), ("first", 0), ("center", 54)]
)
def test_a_long_utterance_is_whole_or_cut(frames, crop, first):
    trials = CroppedFrames(frames, crop, chunk_frames=100)
    assert len(frames.whole(4)) == 208
    feats = trials.whole(4)
    assert len(feats) == trials.num_frames[4] == (208 if crop == "whole" else 100)
    np.testing.assert_array_equal(feats, frames.whole(4)[first : first + len(feats)])


@pytest.mark.parametrize("crop", ["first", "center"])
def test_a_short_utterance_is_repeated_to_the_length_of_a_crop(frames, crop):
    feats = CroppedFrames(frames, crop, chunk_frames=100).whole(0)
    own = frames.whole(0)
    assert len(own) == 48
    np.testing.assert_array_equal(feats, np.concatenate([own, own, own[:4]]))


def test_a_whole_utterance_is_repeated_only_if_the_network_cannot_take_it(frames):
    trials = CroppedFrames(frames, "whole", chunk_frames=100, min_frames=60)
    lengths = [len(trials.whole(index)) for index in range(len(trials.cuts))]
    assert lengths == trials.num_frames.tolist()
    assert min(lengths) == 60
    assert max(lengths) == 208


def test_nothing_is_too_short_for_a_batch(frames):
    trials = CroppedFrames(frames, "first", chunk_frames=100)
    batches = list(ExtractionBatches(trials, max_frames=400, min_frames=90))
    assert sorted(utt for batch in batches for utt in batch.utts) == sorted(
        cut.id for cut in frames.cuts
    )
    assert {batch.feats.shape[1:] for batch in batches} == {(100, 5)}


def test_to_train_on_it_is_the_other_lane(frames):
    ours, theirs = (
        x.chunk(4, 30, np.random.default_rng(1))
        for x in (CroppedFrames(frames, "first", 9), frames)
    )
    np.testing.assert_array_equal(ours[0], theirs[0])
