import logging
import shlex
import shutil

import kaldiio
import numpy as np
import pytest
import soundfile

from asdkit.base.errors import DataError
from asdkit.batches.cut_arrays import load_samples
from asdkit.data.cuts import read_cuts
from asdkit.data.manifests import read_manifests, read_utterances
from asdkit.io.ark import read_arrays
from asdkit.io.audio import open_audio, read_audio
from asdkit.io.tables import read_table
from asdkit.kaldi.import_data import import_directory


def lines(path):
    return path.read_text().splitlines()


def test_containers_and_rates_are_taken_as_they_are(lab, tmp_path):
    import_directory(lab, tmp_path / "out")
    read = {item.utt: item for item in read_utterances(tmp_path / "out")}
    assert [item.sampling_rate for item in read.values()] == [8000, 16000, 44100] * 2
    assert read["s1-u0"].source == "wav/s1-u0.ogg"
    assert read["s1-u0"].duration == (44100 + 200) / 44100
    assert read["s1-u0"][7:10] == (44100, "m", "THIS IS S1-U0")
    assert not any(
        item.is_command or item.start or item.channel for item in read.values()
    )


def test_genders_that_are_none_are_counted(lab, tmp_path, caplog):
    import_directory(lab, tmp_path / "out")
    assert "gender" not in caplog.text
    (lab / "spk2gender").write_text("s0 female\nversion https://git-lfs\ns2 m\n")
    import_directory(lab, tmp_path / "new")
    assert "spk2gender: 1 of 3 values are neither m nor f, first that of" in caplog.text


def test_an_mp3_is_as_long_as_what_decodes(lab, tmp_path, rng, mp3_frames, caplog):
    """44 % of one of a varying bit rate were lost, at exit code 0."""
    caplog.set_level("INFO")
    samples = np.concatenate([rng.uniform(-0.5, 0.5, 8000), np.zeros(24000)])
    frames = mp3_frames(samples)[1:]
    (tmp_path / "a.mp3").write_bytes(b"".join(frames))
    wavs = read_table(lab / "wav.scp") | {"s0-u0": f"{tmp_path}/a.mp3"}
    (lab / "wav.scp").write_text("".join(f"{k} {v}\n" for k, v in wavs.items()))
    import_directory(lab, tmp_path / "out")
    durations = read_table(tmp_path / "out" / "utt2dur")
    assert float(durations["s0-u0"]) == 576 * len(frames) / 16000
    assert "reliable length: MP3 (1), OGG (2)" in caplog.text
    cuts = {cut.id: cut for cut in read_cuts(tmp_path / "out", features=False)}
    loaded = load_samples(cuts["s0-u0"])
    np.testing.assert_array_equal(loaded, read_audio(f"{tmp_path}/a.mp3")[0])
    part = load_samples(cuts["s0-u0"].truncate(offset=0.25, duration=1.5))
    np.testing.assert_allclose(part, loaded[4000:28000], atol=1e-6)


def test_the_channel_that_is_taken_of_stereo_is_said(lab, tmp_path, rng, caplog):
    """Channel 0 was taken without a word."""
    soundfile.write(tmp_path / "wav" / "s0-u0.wav", rng.uniform(-1, 1, (900, 2)), 8000)
    import_directory(lab, tmp_path / "out")
    assert (
        "1 of 6 recordings have unused channels; used: channel 0 of 2 (1)"
        in caplog.text
    )
    assert "--channel, segments or reco2file_and_channel choose" in caplog.text


def test_tables_come_along(lab, tmp_path):
    import_directory(lab, tmp_path / "out")
    same = "utt2spk spk2utt wav.scp text spk2gender spk2age utt2num_frames trials"
    for name in (*same.split(), "feats.scp", "vad.scp", "enroll.spk2utt"):
        assert lines(tmp_path / "out" / name) == lines(lab / name), name


def test_relative_paths_start_from_the_root(lab, tmp_path, monkeypatch):
    monkeypatch.chdir("/")
    out = tmp_path / "out"
    with pytest.raises(DataError, match=r"wav.scp:1: 6 of 6 recordings") as caught:
        import_directory(lab, out)
    assert "--root" in caught.value.hint
    assert not out.exists()
    import_directory(lab, out, root=str(tmp_path))
    assert read_utterances(out)[0].source == f"{tmp_path}/wav/s0-u0.wav"
    assert len(dict(read_arrays(f"scp:{out}/feats.scp"))) == 6


def test_ids_that_do_not_start_with_the_speaker_are_kept(lab, tmp_path, table, caplog):
    for name in ("wav.scp", "feats.scp", "vad.scp", "text", "utt2num_frames"):
        old = read_table(lab / name)
        (lab / name).write_text("".join(f"{k[3:]}{k[:2]} {old[k]}\n" for k in old))
    spks = {f"u{i}s{k}": f"s{k}" for k in range(3) for i in range(2)}
    (lab / "utt2spk").write_text("".join(f"{k} {v}\n" for k, v in spks.items()))
    import_directory(lab, tmp_path / "out")
    warnings = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    assert len(warnings) == 1
    assert "6 of 6 utterance ids do not start with their speaker id" in warnings[0]
    assert list(read_table(tmp_path / "out" / "utt2spk")) == sorted(spks)
    assert list(read_table(tmp_path / "out" / "feats.scp")) == sorted(spks)
    assert lines(tmp_path / "out" / "spk2utt")[0] == "s0 u0s0 u1s0"


def test_pipes_run_only_if_they_are_allowed(lab, tmp_path, table):
    ran = tmp_path / "ran"
    wavs = read_table(lab / "wav.scp")
    wavs["s0-u1"] = f"touch {ran}; cat wav/s0-u1.flac |"
    table(lab / "wav.scp", wavs)
    with pytest.raises(
        DataError, match=r"wav.scp:2: expected a sound file, got the com"
    ) as e:
        import_directory(lab, tmp_path / "out")
    assert "--allow-pipes true" in e.value.hint
    assert not ran.exists()
    import_directory(lab, tmp_path / "out", allow_pipes=True)
    assert ran.exists()
    read = read_utterances(tmp_path / "out")[1]
    assert read.is_command
    assert read.source == f"touch {ran}; cat wav/s0-u1.flac"
    assert read.duration == (16000 + 100) / 16000
    assert lines(tmp_path / "out" / "wav.scp")[1] == f"s0-u1 {wavs['s0-u1']}"


def test_a_pipe_that_fails_says_what_it_said(lab, tmp_path, table):
    table(
        lab / "wav.scp", read_table(lab / "wav.scp") | {"s0-u1": "echo no >&2; false |"}
    )
    with pytest.raises(DataError, match="the command fails with 1: 'no'"):
        import_directory(lab, tmp_path / "out", allow_pipes=True)


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
    table(stereo / "reco2file_and_channel", {"s0-u0": "f B", "s0-u1": "g B"})
    import_directory(stereo, out)
    assert channels(out) == [1, 0]


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


def test_known_lengths_are_believed_without_opening_a_file(lab, tmp_path, table):
    table(lab / "utt2dur", {utt: "1.25" for utt in read_table(lab / "utt2spk")})
    (tmp_path / "wav" / "s0-u0.wav").unlink()
    with pytest.raises(DataError, match="1 of 6 recordings cannot be read"):
        import_directory(lab, tmp_path / "out")
    import_directory(lab, tmp_path / "out", sampling_rate=8000)
    recording = read_manifests(tmp_path / "out").recordings["s0-u0"]
    assert (recording.num_samples, recording.duration) == (10000, 1.25)


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


def test_tabs_and_unsorted_lines_are_read(lab, tmp_path):
    text = (lab / "utt2spk").read_text().replace(" ", "\t").splitlines()
    (lab / "utt2spk").write_text("\n".join(reversed(text)) + "\n")
    import_directory(lab, tmp_path / "out")
    assert list(read_table(tmp_path / "out" / "utt2spk")) == sorted(
        read_table(lab / "utt2spk")
    )


def test_spk2utt_alone_tells_the_speakers(lab, tmp_path):
    expected = lines(lab / "utt2spk")
    (lab / "utt2spk").unlink()
    import_directory(lab, tmp_path / "out")
    assert lines(tmp_path / "out" / "utt2spk") == expected
    (lab / "spk2utt").write_text("s0 s0-u0 s0-u7\n")
    with pytest.raises(DataError, match="utt2spk: recording 's0-u7' is not in"):
        import_directory(lab, tmp_path / "out")


def test_transcripts_may_be_empty_or_partial(lab, tmp_path):
    (lab / "text").write_text("s0-u0\ns0-u1 NEL MEZZO\u2028DEL CAMMIN\n")
    import_directory(lab, tmp_path / "out")
    read = [item.text for item in read_utterances(tmp_path / "out")]
    assert read == ["", "NEL MEZZO DEL CAMMIN", None, None, None, None]


def test_it_may_be_imported_into_itself(lab):
    before = {p.name: p.read_text() for p in lab.iterdir()}
    import_directory(lab, lab)
    assert len(read_utterances(lab)) == 6
    assert {name: (lab / name).read_text() for name in before} == before


def spoil(tmp_path, utt, how):
    path = tmp_path / "wav" / f"{utt}.wav"
    if how == "missing":
        path.unlink()
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "no samples":
        soundfile.write(path, np.zeros(0), 8000)
    elif how == "text":
        path.write_text("hello\n")
    elif how == "cut":
        path.write_bytes(path.read_bytes()[:-100])


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("missing", "no such file"),
        ("empty", "expected audio, got an empty file"),
        ("no samples", "expected audio, got no samples"),
        ("text", "cannot read it: Format not recognised"),
        ("cut", "expected 16000 bytes of audio, got only 15900"),
    ],
)
def test_all_bad_audio_is_named_at_once(lab, tmp_path, how, message, caplog):
    for utt in ("s0-u0", "s1-u1"):
        spoil(tmp_path, utt, how)
    with pytest.raises(DataError, match=rf"wav.scp:1: 2 of 6 .*{message}"):
        import_directory(lab, tmp_path / "out")
    named = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert [shlex.split(line)[1] for line in named] == [
        "wav/s0-u0.wav:",
        "wav/s1-u1.wav:",
    ]


def test_contradictions_between_tables_are_named(lab, tmp_path, table):
    out = tmp_path / "out"
    table(lab / "utt2spk", read_table(lab / "utt2spk") | {"s9": "s9"})
    with pytest.raises(
        DataError, match=r"utt2spk:7: recording 's9' is not in"
    ) as caught:
        import_directory(lab, out)
    assert "data-validate" in caught.value.hint
    table(lab / "segments", {"s0-u0": "s0-u0 0 1"})
    with pytest.raises(DataError, match=r"utt2spk:2: 's0-u1' is not in .*segments"):
        import_directory(lab, out)
    (lab / "wav.scp").unlink()
    with pytest.raises(DataError, match=r"utt2spk:7: 's9' is not in .*feats.scp"):
        import_directory(lab, out)
    (lab / "feats.scp").unlink()
    with pytest.raises(DataError, match=r"expected wav.scp or feats.scp, got neither"):
        import_directory(lab, out)
    (lab / "utt2spk").write_text("")
    with pytest.raises(DataError, match="utt2spk: expected utterances, got an empty"):
        import_directory(lab, out)
    with pytest.raises(DataError, match="no such directory"):
        import_directory(lab / "no", out)


@pytest.mark.parametrize(
    ("name", "value"), [("utt2spk", "s0 extra"), ("utt2attack", "A01 A02")]
)
def test_a_word_too_many_is_named_where_it_is(lab, tmp_path, table, name, value):
    """supervisions.jsonl.gz was blamed, which was not written yet."""
    words = {utt: "s0" for utt in read_table(lab / "utt2spk")} | {"s0-u1": value}
    table(lab / name, words)
    with pytest.raises(DataError, match=rf"{name}:2: expected '<utt> <\w+>', got 's0"):
        import_directory(lab, tmp_path / "out")


def test_a_byte_order_mark_is_no_part_of_an_id(lab, tmp_path):
    for name in ("wav.scp", "utt2spk", "feats.scp"):
        text = (lab / name).read_text()
        (lab / name).write_text(text, encoding="utf-8-sig")
    import_directory(lab, tmp_path / "out")
    assert read_utterances(tmp_path / "out")[0].utt == "s0-u0"


@pytest.mark.parametrize("value", ["0", "-1", "nan", "x"])
def test_a_bad_duration_is_named(lab, tmp_path, table, value):
    durations = {utt: "1" for utt in read_table(lab / "utt2spk")} | {"s0-u1": value}
    table(lab / "utt2dur", durations)
    with pytest.raises(
        DataError, match=f"utt2dur:2: expected a positive number, got '{value}'"
    ):
        import_directory(lab, tmp_path / "out", sampling_rate=16000)


def test_features_that_are_a_command_are_refused(lab, tmp_path, table):
    table(lab / "feats.scp", {"s0-u0": "copy-feats x ark:- |"})
    with pytest.raises(DataError, match="commands are not run here"):
        import_directory(lab, tmp_path / "out", allow_pipes=True)


def test_kaldis_own_directory_is_read(golden, tmp_path):
    for part, num_utts in (("train", 48), ("test", 24)):
        out = tmp_path / part
        import_directory(golden / "data" / part, out, root=str(golden))
        assert len(read_utterances(out)) == num_utts
        frames = read_table(golden / "data" / part / "utt2num_frames")
        assert read_table(out / "utt2num_frames") == frames
        for item in read_utterances(out):
            # --snip-edges=false: one frame per 10 ms, rounded.
            assert int(item.duration * 100 + 0.5) == int(frames[item.utt])


def test_attacks_come_along(lab, tmp_path, table):
    table(lab / "utt2attack", {"s0-u0": "bonafide", "s1-u1": "A01"})
    import_directory(lab, tmp_path / "out")
    known = {item.utt: item.custom for item in read_utterances(tmp_path / "out")}
    assert known["s0-u0"] == {"attack": "bonafide"}
    assert known["s1-u1"] == {"attack": "A01"}
    assert known["s0-u1"] is None
    expected = {"s0-u0": "bonafide", "s1-u1": "A01"}
    assert read_table(tmp_path / "out" / "utt2attack") == expected
