import numpy as np
import pytest
import soundfile

from asdkit.base.errors import DataError
from asdkit.data.manifests import Utterance, read_manifests, write_utterances
from asdkit.io.tables import read_table
from asdkit.kaldi.export_data import export_directory
from asdkit.kaldi.import_data import import_directory


def rows(path):
    data = path.read_bytes()
    assert data.endswith(b"\n")
    return [line.split() for line in data.decode().splitlines()]


def assert_kaldi_accepts(directory, spk_sort=True):
    """What utils/validate_data_dir.sh checks, in the C locale."""
    utt2spk = rows(directory / "utt2spk")
    utts = [row[0] for row in utt2spk]
    assert utts == sorted(set(utts))
    assert all(len(row) == 2 for row in utt2spk)
    if spk_sort:
        assert utt2spk == sorted(utt2spk, key=lambda row: row[1])
        assert utt2spk == [
            [utt, row[0]] for row in rows(directory / "spk2utt") for utt in row[1:]
        ]
    spks = [row[0] for row in rows(directory / "spk2utt")]
    assert spks == sorted({row[1] for row in utt2spk})
    recos = [row[0] for row in rows(directory / "wav.scp")]
    if (directory / "segments").exists():
        segments = rows(directory / "segments")
        assert all(len(row) == 4 and float(row[3]) > float(row[2]) for row in segments)
        assert [row[0] for row in segments] == utts
        assert recos == sorted({row[1] for row in segments})
    else:
        assert recos == utts
    for name in ("feats.scp", "vad.scp", "text", "utt2dur", "utt2num_frames"):
        if (directory / name).exists():
            assert [row[0] for row in rows(directory / name)] == utts, name
    for name in ("spk2gender", "cmvn.scp"):
        if (directory / name).exists():
            assert [row[0] for row in rows(directory / name)] == spks, name
    assert all(float(row[1]) > 0 for row in rows(directory / "utt2dur"))


def same(first, second):
    """Compare two directories, files and what the manifests hold."""
    names = {path.name for path in first.iterdir()}
    assert names == {path.name for path in second.iterdir()}
    for name in names:
        if not name.endswith(".gz"):
            assert (first / name).read_text() == (second / name).read_text(), name
    return read_manifests(first) == read_manifests(second)


def round_trip(kaldi, tmp_path):
    import_directory(kaldi, tmp_path / "1")
    export_directory(tmp_path / "1", tmp_path / "kaldi")
    import_directory(tmp_path / "kaldi", tmp_path / "2")
    return same(tmp_path / "1", tmp_path / "2")


def test_import_of_export_is_the_same(lab, tmp_path):
    assert round_trip(lab, tmp_path)
    assert_kaldi_accepts(tmp_path / "kaldi")
    for path in lab.iterdir():
        assert (tmp_path / "kaldi" / path.name).read_text() == path.read_text()


def test_so_it_is_with_segments_of_odd_lengths(lab, tmp_path, table):
    """44.1 kHz: no length is a round number of seconds."""
    wavs = read_table(lab / "wav.scp")
    segments = {
        "s1-a": "s1-u0 0.123456 0.7",
        "s1-b": "s1-u0 0.5 -1",
        "s1-c": "s1-u0 0 -1",
        "s2-a": "s2-u1 0.1 1.4",
    }
    gone = "feats.scp vad.scp utt2num_frames text trials enroll.spk2utt spk2age"
    for name in gone.split():
        (lab / name).unlink()
    table(lab / "wav.scp", wavs)
    table(lab / "segments", segments)
    table(lab / "utt2spk", {utt: utt[:2] for utt in segments})
    assert round_trip(lab, tmp_path)
    assert_kaldi_accepts(tmp_path / "kaldi")


def test_so_it_is_without_audio(lab, tmp_path):
    (lab / "wav.scp").unlink()
    (lab / "utt2num_frames").unlink()
    assert round_trip(lab, tmp_path)


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """Utterances whose ids do not start with their speakers', crosswise sorted."""
    monkeypatch.chdir(tmp_path)
    utts = {"u1": "b", "u2": "a", "u3": "b", "a-u4": "a"}
    for utt in utts:
        soundfile.write(f"{utt}.wav", np.zeros(800), 8000)
    write_utterances(
        tmp_path / "in",
        [
            Utterance(u, s, f"{u}.wav", False, 0.0, 0.1, 0, 8000)
            for u, s in utts.items()
        ],
    )
    return tmp_path / "in"


def test_speakers_become_prefixes_in_all_tables(bare, tmp_path, table):
    table(bare / "feats.scp", {utt: f"x.ark:{utt[-1]}" for utt in ["u1", "u2", "u3"]})
    table(bare / "utt2lang", {"u1": "de", "u2": "fr", "u3": "en", "a-u4": "it"})
    (bare / "feats.scp").write_text("a-u4 x:4\nu1 x:1\nu2 x:2\nu3 x:3\n")
    (bare / "enroll.spk2utt").write_text("m u1 a-u4\n")
    (bare / "trials").write_text("u2 u1 nontarget\nm u2 target\n")
    out = tmp_path / "out"
    export_directory(bare, out, prefix_speaker=True)
    assert_kaldi_accepts(out)
    assert read_table(out / "feats.scp") == {
        "a-u2": "x:2",
        "a-u4": "x:4",
        "b-u1": "x:1",
        "b-u3": "x:3",
    }
    assert rows(out / "spk2utt") == [["a", "a-u2", "a-u4"], ["b", "b-u1", "b-u3"]]
    assert (out / "enroll.spk2utt").read_text() == "m b-u1 a-u4\n"
    assert (out / "trials").read_text() == "a-u2 b-u1 nontarget\nm a-u2 target\n"
    assert read_table(out / "utt2lang")["b-u3"] == "en"
    assert read_table(out / "wav.scp")["a-u2"] == "u2.wav"


def test_without_prefixes_the_order_of_speakers_is_warned_about(bare, tmp_path, caplog):
    export_directory(bare, tmp_path / "out")
    assert_kaldi_accepts(tmp_path / "out", spk_sort=False)
    assert "speaker 'b' comes before 'a'" in caplog.text
    assert "--no-spk-sort" in caplog.text


def test_two_utterances_cannot_get_one_name(tmp_path):
    twins = [Utterance(u, "s", "x.wav", False, 0.0, 1.0, 0, 8000) for u in ("u", "s-u")]
    write_utterances(tmp_path / "in", twins)
    with pytest.raises(DataError, match="'s-u' and 'u' would both be called 's-u'"):
        export_directory(tmp_path / "in", tmp_path / "out", prefix_speaker=True)
    assert not (tmp_path / "out").exists()


def test_missing_features_are_an_error_and_missing_words_are_not(lab, tmp_path, caplog):
    import_directory(lab, tmp_path / "in")
    lines = (lab / "text").read_text().splitlines(keepends=True)
    (lab / "text").write_text("".join(lines[:-1]))
    import_directory(lab, tmp_path / "in")
    export_directory(tmp_path / "in", tmp_path / "out")
    assert not (tmp_path / "out" / "text").exists()
    assert "text is left out: 1 of 6 are missing, e.g. 's2-u1'" in caplog.text
    vad = tmp_path / "in" / "vad.scp"
    vad.write_text("".join(vad.read_text().splitlines(keepends=True)[1:]))
    with pytest.raises(DataError, match=r"vad.scp: 1 of 6 utterances are missing") as e:
        export_directory(tmp_path / "in", tmp_path / "again")
    assert e.value.hint.startswith("asdkit data-validate --fix true")
    assert not (tmp_path / "again").exists()


def test_tables_of_an_earlier_export_do_not_stay(lab, tmp_path):
    import_directory(lab, tmp_path / "in")
    out = tmp_path / "out"
    out.mkdir()
    (out / "segments").write_text("old\n")
    export_directory(tmp_path / "in", out)
    assert not (out / "segments").exists()


def test_an_empty_directory_is_refused(tmp_path):
    write_utterances(tmp_path / "in", [])
    with pytest.raises(DataError, match="expected utterances, got none"):
        export_directory(tmp_path / "in", tmp_path / "out")
