"""When, by whom and in which channel the utterances of a Kaldi directory are spoken."""

import shutil

import kaldiio
import numpy as np
import pytest
import soundfile

from asdkit.base.errors import DataError
from asdkit.data.manifests import read_manifests, read_utterances
from asdkit.io.ark import read_arrays
from asdkit.io.audio import open_audio
from asdkit.io.tables import read_table
from asdkit.kaldi.import_data import import_directory


def lines(path):
    return path.read_text().splitlines()


def test_genders_that_are_none_are_counted(lab, tmp_path, caplog):
    import_directory(lab, tmp_path / "out")
    assert "gender" not in caplog.text
    (lab / "spk2gender").write_text("s0 female\nversion https://git-lfs\ns2 m\n")
    import_directory(lab, tmp_path / "new")
    assert "spk2gender: 1 of 3 values are neither m nor f, first that of" in caplog.text


def test_the_channel_that_is_taken_of_stereo_is_said(lab, tmp_path, rng, caplog):
    """Channel 0 was taken without a word."""
    soundfile.write(tmp_path / "wav" / "s0-u0.wav", rng.uniform(-1, 1, (900, 2)), 8000)
    import_directory(lab, tmp_path / "out")
    assert (
        "1 of 6 recordings have unused channels; used: channel 0 of 2 (1)"
        in caplog.text
    )
    assert "--channel, segments or reco2file_and_channel choose" in caplog.text


def make_segments(lab, table, segments):
    """Let s0-u0 and s1-u0 be recordings r0 and r1, two utterances in each."""
    wavs = read_table(lab / "wav.scp")
    table(lab / "wav.scp", {"r0": wavs["s0-u0"], "r1": wavs["s1-u0"], "r2": "not used"})
    table(lab / "segments", segments)
    table(lab / "utt2spk", {utt: "s0" for utt in segments})
    for name in ("feats.scp", "vad.scp", "utt2num_frames", "text"):
        (lab / name).unlink()


def test_segments_may_end_at_the_end_or_a_little_late(lab, tmp_path, table):
    segments = {
        "a": "r0 0.00 0.50",
        "b": "r0 0.25 -1",
        "c": "r1 0.7 1.4",
        "d": "r1 0 1.1",
        "e": "r1 0 -1",
    }
    make_segments(lab, table, segments)
    import_directory(lab, tmp_path / "out")
    read = {x.utt: (x.start, x.duration) for x in read_utterances(tmp_path / "out")}
    end = 44300 / 44100
    assert read["a"] == (0.0, 0.5)
    assert read["b"] == (0.25, 0.75)
    assert read["c"] == (0.7, round(end - 0.7, 8))
    assert read["d"] == read["e"] == (0.0, end)
    assert sorted(read_manifests(tmp_path / "out").recordings) == ["r0", "r1"]
    assert lines(tmp_path / "out" / "segments")[1] == "b r0 0.25 1"


@pytest.mark.parametrize(
    ("segment", "message"),
    [
        (
            "r0 0.5 1.6",
            "expected a time within the 1.00 seconds of 'r0', got 0.5 to 1.6",
        ),
        (
            "r0 0.5 0.5",
            "expected a time within the 1.00 seconds of 'r0', got 0.5 to 0.5",
        ),
        (
            "r0 -1 0.5",
            "expected a time within the 1.00 seconds of 'r0', got -1.0 to 0.5",
        ),
        ("r0 2 -1", "expected a time within the 1.00 seconds of 'r0', got 2.0 to -1.0"),
        ("r0 0.5", "expected '<utt> <reco> <start> <end>', got 'b r0 0.5'"),
        ("r0 0.5 x", "expected '<utt> <reco> <start> <end>', got 'b r0 0.5 x'"),
        ("r7 0.5 1", "recording 'r7' is not in "),
        ("r0 0 1 3", "'b' has a channel that is not among 1"),
    ],
)
def test_a_bad_segment_is_named(lab, tmp_path, table, segment, message):
    make_segments(lab, table, {"a": "r0 0 1", "b": segment})
    where = "wav.scp:1" if "channel" in message else "segments:2"
    with pytest.raises(DataError, match=f"{where}: {message}"):
        import_directory(lab, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.fixture
def stereo(lab, table, rng):
    """s0-u0 has two channels."""
    samples = rng.standard_normal((8000, 2)) * 0.1
    soundfile.write("wav/s0-u0.wav", samples, 8000)
    return lab


def channels(data_dir):
    return [item.channel for item in read_utterances(data_dir)][:2]


def test_a_channel_is_chosen(stereo, tmp_path, table):
    out = tmp_path / "out"
    import_directory(stereo, out)
    assert channels(out) == [0, 0]
    assert read_table(out / "wav.scp")["s0-u0"] == (
        "sox wav/s0-u0.wav -t wav - remix 1 |"
    )
    with pytest.raises(DataError, match=r"wav.scp:2: 's0-u1' has a channel that is"):
        import_directory(stereo, out, channel=1)


def test_a_side_of_a_call_is_chosen_without_a_warning(stereo, tmp_path, table, caplog):
    """A warning, of every call, said that the other side is not used."""
    table(stereo / "reco2file_and_channel", {"s0-u0": "f B", "s0-u1": "g B"})
    import_directory(stereo, tmp_path / "out")
    assert channels(tmp_path / "out") == [1, 0]
    assert "unused channels" not in caplog.text


def test_a_side_that_no_call_has_is_named_where_it_is(stereo, tmp_path, table):
    table(stereo / "reco2file_and_channel", {"s0-u0": "f C"})
    problem = "channel:1: expected a side of 2, A or B, got 'f C'"
    with pytest.raises(DataError, match=problem):
        import_directory(stereo, tmp_path / "out")


@pytest.mark.skipif(not shutil.which("sox"), reason="sox is not installed")
def test_the_sox_command_of_a_channel_gives_that_channel(stereo, tmp_path, table):
    table(stereo / "reco2file_and_channel", {"s0-u0": "f B"})
    import_directory(stereo, tmp_path / "1")
    import_directory(tmp_path / "1", tmp_path / "2", allow_pipes=True)
    command = read_utterances(tmp_path / "2")[0]
    assert (command.is_command, command.channel) == (True, 0)
    with open_audio(command.source, is_command=True, allow_pipes=True) as file:
        cut = file.read()
    np.testing.assert_array_equal(cut, soundfile.read("wav/s0-u0.wav")[0][:, 1])


def test_a_segment_may_name_its_channel(stereo, tmp_path, table):
    make_segments(stereo, table, {"a": "r0 0 0.5 1", "b": "r0 0.5 1 0"})
    import_directory(stereo, tmp_path / "out")
    assert channels(tmp_path / "out") == [1, 0]
    assert lines(tmp_path / "out" / "segments") == ["a r0-2 0 0.5", "b r0-1 0.5 1"]


def test_features_without_audio_are_enough(lab, tmp_path, table):
    (lab / "wav.scp").unlink()
    for gone in ("", "utt2num_frames"):
        if gone:
            (lab / gone).unlink()
        import_directory(lab, tmp_path / "out")
        manifests = read_manifests(tmp_path / "out")
        assert not manifests.recordings
        assert manifests.supervisions["s1-u0"].duration == 0.92
    (lab / "frame_shift").write_text("x\n")
    with pytest.raises(DataError, match="frame_shift:1: expected seconds, got 'x'"):
        import_directory(lab, tmp_path / "out")
    (lab / "frame_shift").write_text("0.005\n")
    import_directory(lab, tmp_path / "out")
    assert read_manifests(tmp_path / "out").supervisions["s1-u0"].duration == 0.46
    table(lab / "utt2dur", {utt: "0.945" for utt in read_table(lab / "utt2spk")})
    import_directory(lab, tmp_path / "out")
    assert read_manifests(tmp_path / "out").supervisions["s1-u0"].duration == 0.945


def test_ranges_and_compressed_text_archives_are_taken(lab, tmp_path, table):
    feats = dict(kaldiio.load_ark("feats.ark"))
    kaldiio.save_ark("text.ark", feats, scp="text.scp", text=True)
    where = {k: f"{v}[2:9]" for k, v in read_table("text.scp").items()}
    table(lab / "feats.scp", where)
    (lab / "wav.scp").unlink()
    (lab / "utt2num_frames").unlink()
    import_directory(lab, tmp_path / "out")
    assert read_manifests(tmp_path / "out").supervisions["s0-u0"].duration == 0.08
    for key, array in read_arrays(f"scp:{tmp_path}/out/feats.scp"):
        np.testing.assert_allclose(array, feats[key][2:10], rtol=1e-5)


def test_transcripts_may_be_empty_or_partial(lab, tmp_path):
    (lab / "text").write_text("s0-u0\ns0-u1 NEL MEZZO\u2028DEL CAMMIN\n")
    import_directory(lab, tmp_path / "out")
    read = [item.text for item in read_utterances(tmp_path / "out")]
    assert read == ["", "NEL MEZZO DEL CAMMIN", None, None, None, None]


def test_attacks_come_along(lab, tmp_path, table):
    table(lab / "utt2attack", {"s0-u0": "bonafide", "s1-u1": "A01"})
    import_directory(lab, tmp_path / "out")
    known = {item.utt: item.custom for item in read_utterances(tmp_path / "out")}
    assert known["s0-u0"] == {"attack": "bonafide"}
    assert known["s1-u1"] == {"attack": "A01"}
    assert known["s0-u1"] is None
    expected = {"s0-u0": "bonafide", "s1-u1": "A01"}
    assert read_table(tmp_path / "out" / "utt2attack") == expected
