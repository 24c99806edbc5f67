"""Segments with times, of the ten utterances of the fixture `speech`."""

import json

import numpy as np
import pytest
from lhotse import SupervisionSet

from asdkit.base.errors import DataError
from asdkit.data.frame_segments import frame_times, write_segments, write_speech
from asdkit.data.manifests import read_manifests, write_manifests
from asdkit.io.rttm import read_rttm
from asdkit.segmentation.segments import FrameTimes


def describe(**options):
    """Say what the features in the folder "ark" are."""
    info = {"type": "mfcc", "dim": 5, "options": options}
    with open("ark/feats.json", "w") as stream:
        json.dump(info, stream)


def test_times_are_those_of_the_features(speech):
    assert frame_times(speech) == FrameTimes(0.01, 0.0075)
    describe(frame_shift=20.0, frame_length=30.0, snip_edges=True)
    assert frame_times(speech).shift_sec == 0.02
    assert frame_times(speech).first_sec == pytest.approx(0.005)
    describe(frame_shift=10.0, frame_length=25.0, snip_edges=False)
    assert frame_times(speech) == FrameTimes(0.01, 0.0)


def test_rttm_and_supervisions_say_the_same(speech):
    classes = np.zeros(48, int)
    classes[10:20] = classes[40:] = 1
    write_segments(speech, [("s0-u0", classes)], {1: "speech"}, "rttm", "sup.jsonl.gz")
    turns = read_rttm("rttm")["s0-u0"]
    assert [(x.start, x.duration, x.label) for x in turns] == [
        (pytest.approx(0.1075, abs=6e-4), pytest.approx(0.1), "speech"),
        (pytest.approx(0.4075, abs=6e-4), pytest.approx(0.0925, abs=6e-4), "speech"),
    ]
    found = list(SupervisionSet.from_file("sup.jsonl.gz"))
    assert [x.id for x in found] == ["s0-u0-0001", "s0-u0-0002"]
    assert [x.start for x in found] == pytest.approx([0.1075, 0.4075])
    assert found[1].end == pytest.approx(0.5)
    assert found[0].custom == {"class": "speech"}
    assert found[0].speaker == "s0"


def test_times_of_a_piece_of_a_recording_are_the_recordings(speech):
    manifests = read_manifests(speech)
    item = manifests.supervisions["s0-u4"]
    item.start, item.duration = 1.0, 0.5
    write_manifests(
        speech, manifests.recordings.values(), manifests.supervisions.values()
    )
    write_segments(speech, [("s0-u4", np.ones(48, int))], {1: "x"}, "rttm", None)
    (turn,) = read_rttm("rttm")["s0-u4"]
    assert (turn.start, turn.duration) == (1.0, 0.5)


def test_speech_is_what_vad_says(speech, tmp_path):
    write_speech(speech, "rttm", None)
    turns = read_rttm("rttm")["s0-u0"]
    assert len(turns) == 16  # every third of 48 frames is voiced
    write_speech(speech, None, None)
    assert not (tmp_path / "sup.jsonl.gz").exists()


def test_an_unknown_utterance_is_named(speech):
    with pytest.raises(DataError, match="'nobody' is not in it"):
        write_segments(speech, [("nobody", np.ones(5, int))], {1: "x"}, "rttm", None)
