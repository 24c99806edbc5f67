"""Labels of frames go with the frames that a source cuts."""

import numpy as np
import pytest

from asdkit.base.errors import DataError
from asdkit.batches.frame_labels import LabelChunks
from asdkit.batches.frame_sources import StoredFrames
from asdkit.data.cuts import read_cuts
from asdkit.data.manifests import read_manifests, write_manifests
from asdkit.segmentation.segments import FrameTimes


def test_labels_of_a_chunk_are_those_of_its_frames(speech):
    """The first column of these features is the number of the frame."""
    manifests = read_manifests(speech)
    for item in manifests.supervisions.values():
        item.custom = {"attack": "bonafide"}
    partial = {"attack": "A02", "spoofed": [[0.5, 1.2]]}
    manifests.supervisions["s0-u4"].custom = partial
    write_manifests(
        speech, manifests.recordings.values(), manifests.supervisions.values()
    )
    frames = StoredFrames(read_cuts(speech, features=True))
    times = FrameTimes(0.01, 0.0)
    labels = LabelChunks(frames.cuts, times, frames.num_frames)
    place = [cut.id for cut in frames.cuts].index("s0-u4")
    for seed in range(20):
        for length in (60, 300):  # shorter and longer than the utterance
            feats, _ = frames.chunk(place, length, np.random.default_rng(seed))
            chunk = labels.chunk(place, length, np.random.default_rng(seed))
            middle = 0.01 * (feats[:, 0] + 0.5)
            spoofed = (middle >= 0.5) & (middle < 1.2)
            np.testing.assert_array_equal(chunk == 0, spoofed)


def test_frames_that_are_left_out_have_no_labels(speech):
    frames = StoredFrames(read_cuts(speech, features=True, voiced=True))
    with pytest.raises(DataError, match="frames have labels"):
        LabelChunks(frames.cuts, FrameTimes(), frames.num_frames)
