"""The tables that manifests imply are those that Kaldi wants to see."""

import pytest
from lhotse import AudioSource, Recording, SupervisionSegment

from asdkit.base.errors import DataError
from asdkit.data.manifest_tables import (
    DERIVED,
    derive_tables,
    find_source,
    is_whole,
    known_of,
    seconds,
)


def recording(reco="r", sources=None, channels=1):
    sources = sources or [AudioSource("file", list(range(channels)), f"{reco} x.wav")]
    return Recording(reco, sources, 8000, 16000, 2.0)


def supervision(utt="u", reco="r", start=0.0, duration=2.0, channel=0, **more):
    return SupervisionSegment(
        utt, reco, start, duration, channel, **{"speaker": "s", **more}
    )


def derive(recordings, supervisions):
    return derive_tables({x.id: x for x in recordings}, {x.id: x for x in supervisions})


def test_every_table_is_sorted_and_one_of_those_that_are_derived():
    utts = [
        supervision("b", "r2", speaker="t", gender="male", text="YES  SIR"),
        supervision("a", "r1", custom={"attack": "A01", "subset": "x", "other": 3}),
    ]
    found = derive([recording("r2"), recording("r1"), recording("unused")], utts)
    assert found == {
        "wav.scp": ["r1 r1 x.wav", "r2 r2 x.wav"],
        "segments": ["a r1 0 2", "b r2 0 2"],
        "utt2spk": ["a s", "b t"],
        "spk2utt": ["s a", "t b"],
        "utt2dur": ["a 2", "b 2"],
        "spk2gender": ["t m"],
        "text": ["b YES  SIR"],
        "utt2attack": ["a A01"],
        "utt2subset": ["a x"],
    }
    assert set(found) <= set(DERIVED)


@pytest.mark.parametrize(
    ("utt", "start", "duration", "expected"),
    [
        ("r", 0.0, 2.0, None),
        ("r", 0.0, 2.0 - 0.4 / 8000, None),  # tables have eight digits, not all
        ("r", 0.0, 2.0 - 1 / 8000, ["r r 0 1.999875"]),
        ("u", 0.5, 0.1 + 0.2, ["u r 0.5 0.8"]),
        ("other", 0.0, 2.0, ["other r 0 2"]),
    ],
)
def test_segments_are_of_utterances_that_are_not_their_recording(
    utt, start, duration, expected
):
    found = derive([recording()], [supervision(utt, "r", start, duration)])
    assert found.get("segments") == expected


def test_channels_become_recordings_that_sox_cuts_out():
    stereo = [supervision("u1", "r", channel=0), supervision("u2", "r", channel=1)]
    found = derive([recording(channels=2)], stereo)
    assert found["wav.scp"] == [
        "r-1 sox 'r x.wav' -t wav - remix 1 |",
        "r-2 sox 'r x.wav' -t wav - remix 2 |",
    ]
    assert found["segments"] == ["u1 r-1 0 2", "u2 r-2 0 2"]
    command = recording(sources=[AudioSource("command", [0, 1], "cat x")])
    found = derive([command], stereo[1:])  # one channel in use: the recording's name
    assert found["wav.scp"] == ["r cat x | sox -t wav - -t wav - remix 2 |"]
    mono = recording(sources=[AudioSource("command", [0], "cat x")])
    assert derive([mono], stereo[:1])["wav.scp"] == ["r cat x |"]


def test_a_channel_is_in_one_of_the_files():
    sources = [AudioSource("file", [c], f"c{c}.wav") for c in (0, 1)]
    item, right = recording(sources=sources), supervision("r", "r", channel=1)
    assert find_source(item, right, "there").source == "c1.wav"
    assert derive([item], [right])["wav.scp"] == ["r c1.wav"]
    with pytest.raises(DataError, match=r"there: 'u': expected one of the channels"):
        find_source(item, supervision(channel=2), "there")


def test_features_without_audio_have_no_recordings():
    found = derive([], [supervision()])
    assert set(found) == {"utt2spk", "spk2utt", "utt2dur"}
    assert derive([recording()], []) == {}


@pytest.mark.parametrize("ids", [("a b", "s", "r"), ("u", "s\tt", "r"), ("u", "s", "")])
def test_ids_are_words(ids):
    utt, spk, reco = ids
    with pytest.raises(DataError, match="expected ids without blanks"):
        derive([], [supervision(utt, reco, speaker=spk)])


def test_what_is_known_is_one_word():
    assert known_of(supervision()) == {}
    assert known_of(supervision(custom={"codec": "alaw", "x": 1})) == {"codec": "alaw"}
    for wrong in ("A 07", "", 7):
        with pytest.raises(DataError, match=r"'u': expected one word for codec"):
            known_of(supervision(custom={"codec": wrong}))


def test_times_have_no_noise_of_binary_fractions():
    assert [seconds(x) for x in (0.1 + 0.2, 2.0, 0.0, 1 / 3)] == [
        *("0.3", "2", "0", "0.33333333"),
    ]


def test_whole_is_to_half_a_sample():
    assert is_whole(supervision(duration=2.0 - 0.4 / 8000), recording())
    assert not is_whole(supervision(duration=2.0 - 0.6 / 8000), recording())
    assert not is_whole(supervision(start=0.1, duration=1.99), recording())
