import numpy as np
import pytest
import soundfile
from lhotse import AudioSource, Recording, SupervisionSegment

from asdkit.base.errors import DataError
from asdkit.data.cuts import attack_of, number_speakers, read_cuts, speaker_of
from asdkit.data.manifests import read_manifests, write_manifests

UTTS = [f"s0-u{i}" for i in range(5)] + [f"s1-u{i}" for i in range(4)] + ["s2-u0"]


def rewrite(data, recordings=None, supervisions=None):
    """Change what the manifests hold."""
    known = read_manifests(data)
    write_manifests(
        data,
        known.recordings.values() if recordings is None else recordings,
        known.supervisions.values() if supervisions is None else supervisions,
    )


def drop_lines(path, *utts):
    lines = path.read_text().splitlines()
    path.write_text("".join(f"{x}\n" for x in lines if x.split()[0] not in utts))


@pytest.mark.parametrize("features", [False, True])
def test_there_is_a_cut_for_every_utterance_sorted_by_id(speech, features):
    cuts = read_cuts(speech, features)
    assert [cut.id for cut in cuts] == UTTS
    assert [speaker_of(cut) for cut in cuts] == [utt[:2] for utt in UTTS]


def test_a_cut_of_audio_loads_what_is_in_the_file(speech):
    for cut in read_cuts(speech, features=False):
        samples = soundfile.read(f"{cut.id}.flac", dtype="float32")[0]
        np.testing.assert_array_equal(cut.load_audio()[0], samples)


def test_a_cut_of_features_knows_their_shape_and_table(speech):
    cut = next(iter(read_cuts(speech, features=True)))
    assert cut.features.num_frames == 48
    assert cut.features.num_features == 5
    assert cut.features.storage_type == "kaldiio"
    assert cut.features.storage_path == str(speech / "feats.scp")


def test_an_utterance_within_its_recording_keeps_its_place_and_channel(speech, rng):
    samples = 0.1 * rng.standard_normal((32000, 2)).astype(np.float32)
    soundfile.write("long.wav", samples, 16000, subtype="FLOAT")
    source = AudioSource("file", [0, 1], "long.wav")
    recording = Recording("long", [source], 16000, 32000, 2.0)
    segment = SupervisionSegment("a-1", "long", 0.5, 1.0, channel=1, speaker="a")
    rewrite(speech, [recording], [segment])
    (cut,) = read_cuts(speech, features=False)
    np.testing.assert_array_equal(cut.load_audio()[0], samples[8000:24000, 1])
    assert cut.supervisions[0].start == 0


def test_voiced_cuts_say_where_their_vad_is_and_how_much_it_keeps(speech):
    cuts = list(read_cuts(speech, features=True, voiced=True))
    assert [cut.custom["num_voiced"] for cut in cuts] == [
        -(-cut.features.num_frames // 3) for cut in cuts
    ]
    assert cuts[0].custom["vad"].startswith("ark/vad.ark:")


def test_utterances_without_features_are_named_and_left_out(speech, caplog):
    drop_lines(speech / "feats.scp", "s0-u1", "s2-u0")
    cuts = read_cuts(speech, features=True)
    assert [cut.id for cut in cuts] == [u for u in UTTS if u not in ("s0-u1", "s2-u0")]
    assert "2 of 10 utterances have no features in feats.scp" in caplog.text
    assert "s0-u1 s2-u0" in caplog.text


def test_more_left_out_than_kept_is_an_error(speech):
    drop_lines(speech / "feats.scp", *UTTS[:6])
    with pytest.raises(DataError, match="6 of 10 utterances have no features"):
        read_cuts(speech, features=True)


def test_utterances_shorter_than_a_window_are_named_and_left_out(speech, caplog):
    cuts = read_cuts(speech, features=False, min_sec=0.65)
    assert [cut.id for cut in cuts] == [u for u in UTTS if u not in ("s0-u0", "s1-u0")]
    assert "2 of 10 utterances are shorter than one window of 650 ms" in caplog.text
    assert "s0-u0 s1-u0" in caplog.text


def test_a_directory_without_features_says_how_to_get_them(speech):
    (speech / "feats.scp").unlink()
    with pytest.raises(DataError, match=r"feats\.scp: no such file") as caught:
        read_cuts(speech, features=True)
    assert "feats-compute" in caught.value.hint
    (speech / "feats.scp").touch()
    with pytest.raises(DataError, match="expected features, got none"):
        read_cuts(speech, features=True)


@pytest.mark.parametrize("value", ["48 word", "x", "-48", "0", "4_8", "9" * 5000])
def test_a_number_of_frames_that_is_none_is_named_with_its_line(speech, value):
    path = speech / "utt2num_frames"
    path.write_text(f"s0-u0 48\ns0-u1 {value}\n")
    with pytest.raises(DataError, match=r"num_frames:2: expected a number of frames"):
        read_cuts(speech, features=True)


def test_voiced_frames_without_vad_say_how_to_get_it(speech):
    drop_lines(speech / "vad.scp", "s1-u1")
    with pytest.raises(DataError, match=r"'s1-u1' is not in it"):
        read_cuts(speech, features=True, voiced=True)
    (speech / "vad.scp").unlink()
    with pytest.raises(DataError, match=r"vad\.scp: no such file"):
        read_cuts(speech, features=True, voiced=True)


def test_an_utterance_without_recording_or_channel_is_an_error(speech):
    manifests = read_manifests(speech)
    rewrite(speech, recordings=list(manifests.recordings.values())[1:])
    with pytest.raises(DataError, match="has no recording 's0-u0'"):
        read_cuts(speech, features=False)
    assert len(list(read_cuts(speech, features=True))) == 10
    manifests.supervisions["s1-u0"].channel = 3
    with pytest.raises(DataError, match="one of the channels"):
        rewrite(speech, supervisions=manifests.supervisions.values())


@pytest.mark.parametrize("start", [-0.5, 1e15])
def test_a_time_outside_its_recording_is_named(speech, start):
    """It ended in lhotse's AssertionError."""
    manifests = read_manifests(speech)
    manifests.supervisions["s0-u1"].start = start
    write_manifests(speech, *(items.values() for items in manifests))
    (speech / "segments").unlink(missing_ok=True)  # it cannot say such times exactly
    with pytest.raises(
        DataError, match=r"'s0-u1': expected a time within the 0\.9 s of"
    ):
        read_cuts(speech, features=False)


def test_commands_run_only_when_allowed(speech):
    manifests = read_manifests(speech)
    recording = manifests.recordings["s1-u0"]
    recording.sources = [AudioSource("command", [0], "cat s1-u0.flac")]
    rewrite(speech, recordings=manifests.recordings.values())
    for allow_pipes, hint in [(None, "wav-copy"), (False, "--allow-pipes true runs")]:
        with pytest.raises(DataError, match=r"the command 'cat s1-u0\.flac'") as caught:
            read_cuts(speech, features=False, allow_pipes=allow_pipes)
        assert hint in caught.value.hint  # nnet-train has no --allow-pipes
    cuts = read_cuts(speech, features=False, allow_pipes=True)
    assert cuts["s1-u0"].load_audio().shape == (1, 9600)


def test_speakers_are_numbered_in_the_order_of_their_names(speech):
    cuts = list(read_cuts(speech, features=False))
    assert number_speakers(reversed(cuts)) == {"s0": 0, "s1": 1, "s2": 2}
    cuts[3].supervisions[0].speaker = None
    assert number_speakers(cuts) == {"s0": 0, "s0-u3": 1, "s1": 2, "s2": 3}


def test_the_attack_of_an_utterance_is_known_or_asked_for(speech):
    known = read_manifests(speech)
    for utt, item in known.supervisions.items():
        item.custom = {"attack": "A01"} if utt == "s0-u0" else None
    rewrite(speech)
    rewrite(speech, supervisions=known.supervisions.values())
    first, second, *_ = read_cuts(speech, features=False)
    assert attack_of(first) == "A01"
    with pytest.raises(DataError, match="'s0-u1': expected an attack or bonafide"):
        attack_of(second)
