import gzip

import pytest

from asdkit.base.errors import DataError
from asdkit.data.directory_validation import validate
from asdkit.data.manifests import RECORDINGS, SUPERVISIONS, read_manifests
from asdkit.data.repair import repair
from asdkit.io.tables import read_table
from asdkit.kaldi.import_data import import_directory


def files(directory):
    return {p.name: p.read_bytes() for p in directory.iterdir() if p.is_file()}


def drop_line(path, number):
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[: number - 1] + lines[number:]))


def test_a_valid_directory_is_left_alone(lab, tmp_path):
    import_directory(lab, tmp_path / "out")
    for directory in (lab, tmp_path / "out"):
        before = files(directory)
        repair(directory)
        assert files(directory) == before
        assert not (directory / ".backup").exists()


def test_order_repetitions_and_ends_of_lines_are_repaired(lab):
    before = files(lab)
    lines = (lab / "utt2spk").read_text().splitlines()
    spoiled = "\r\n".join([*reversed(lines), "", lines[2], "s0-u9"])
    (lab / "utt2spk").write_bytes(spoiled.encode())
    repair(lab)
    assert files(lab) == before
    assert (lab / ".backup" / "utt2spk").read_bytes() == spoiled.encode()
    assert not validate(lab).problems()


def test_an_utterance_that_lacks_something_goes_everywhere(lab, caplog):
    caplog.set_level("INFO")
    drop_line(lab / "vad.scp", 3)
    drop_line(lab / "wav.scp", 4)
    before = files(lab)
    repair(lab)
    assert not validate(lab).problems()
    kept = ["s0-u0", "s0-u1", "s2-u0", "s2-u1"]
    for name in (
        "utt2spk",
        "feats.scp",
        "vad.scp",
        "wav.scp",
        "text",
        "utt2num_frames",
    ):
        assert list(read_table(lab / name)) == kept, name
    assert list(read_table(lab / "spk2age")) == ["s0", "s2"]
    assert (lab / "spk2utt").read_text() == "s0 s0-u0 s0-u1\ns2 s2-u0 s2-u1\n"
    assert (lab / "enroll.spk2utt").read_text() == "model s0-u0\n"
    assert "s0-u0 s1-u0" not in (lab / "trials").read_text()
    assert "2 of 6 utterances went: s1-u0 s1-u1" in caplog.text
    for name, data in files(lab / ".backup").items():
        assert data == before[name]


def test_older_backups_stay(lab):
    texts = []
    for n in (3, 2):
        drop_line(lab / "vad.scp", n)
        texts.append((lab / "vad.scp").read_text())
        drop_line(lab / "feats.scp", 1)
        repair(lab)
    backup = lab / ".backup"
    assert "s1-u0" in (backup / "utt2spk").read_text()
    assert "s1-u0" not in (backup / "utt2spk.1").read_text()


def test_manifests_lose_what_the_tables_lose(lab, tmp_path):
    out = tmp_path / "out"
    import_directory(lab, out)
    before = files(out)
    drop_line(out / "feats.scp", 1)
    (out / "wav.scp").unlink()
    (out / "segments").write_text("stale\n")
    repair(out)
    assert not validate(out).problems()
    assert list(read_manifests(out).supervisions) == list(read_table(out / "vad.scp"))
    assert "s0-u0" not in read_manifests(out).recordings
    assert not (out / "segments").exists()
    backup = files(out / ".backup")
    assert backup["segments"] == b"stale\n"
    for name in (RECORDINGS, SUPERVISIONS, "utt2spk", "vad.scp"):
        assert backup[name] == before[name]


def test_stale_tables_follow_the_manifests(lab, tmp_path):
    out = tmp_path / "out"
    import_directory(lab, out)
    before = {k: v for k, v in files(out).items() if not k.endswith(".gz")}
    (out / "utt2spk").write_text("s0-u0 somebody\n")
    (out / "utt2dur").unlink()
    repair(out)
    assert {k: v for k, v in files(out).items() if not k.endswith(".gz")} == before
    assert list(files(out / ".backup")) == ["utt2spk"]


def test_utt2spk_is_made_from_spk2utt(lab):
    before = files(lab)
    (lab / "utt2spk").unlink()
    repair(lab)
    assert files(lab) == before
    (lab / "utt2spk").unlink()
    (lab / "spk2utt").unlink()
    with pytest.raises(DataError, match="expected utt2spk or spk2utt, got neither"):
        repair(lab)


def test_frames_are_counted_again(lab):
    before = files(lab)
    (lab / "utt2num_frames").write_text("s0-u0 7\n")
    repair(lab)
    assert files(lab) == before


def test_an_incomplete_utt2dur_goes(lab):
    (lab / "utt2dur").write_text("s0-u0 7\n")
    repair(lab)
    assert not (lab / "utt2dur").exists()
    assert (lab / ".backup" / "utt2dur").read_text() == "s0-u0 7\n"


def test_segments_without_a_recording_go(lab, table):
    wavs = read_table(lab / "wav.scp")
    table(lab / "segments", {f"{utt}": f"r-{utt} 0 1" for utt in wavs})
    table(lab / "wav.scp", {f"r-{u}": x for u, x in wavs.items() if u != "s1-u0"})
    repair(lab)
    assert not validate(lab).problems()
    assert "s1-u0" not in read_table(lab / "utt2spk")


def test_what_takes_a_decision_is_left_alone(lab, tmp_path):
    """A contradiction, bytes that are not UTF-8, trials, audio that is not there."""
    (lab / "spk2age").write_text("s0 6\ns0 7\ns1 7\ns2 8\n")
    (lab / "text").write_bytes(b"s0-u0 \xc4RGER\n")
    (lab / "trials").write_text("s0-u0 s0-u1 target\ns0-u0 nobody nontarget\n")
    (tmp_path / "wav" / "s0-u0.wav").unlink()
    before = files(lab)
    report = validate(lab)
    repair(lab)
    assert files(lab) == before
    assert validate(lab).problems() == report.problems() != []


def test_more_than_half_is_not_thrown_away(lab, table):
    table(lab / "vad.scp", {f"x{n}": "vad.ark:6" for n in range(9)})
    before = files(lab)
    with pytest.raises(DataError, match="only 0 of 6 utterances are in all tables"):
        repair(lab)
    assert files(lab) == before


def test_an_error_leaves_everything_as_it_was(lab, monkeypatch):
    drop_line(lab / "vad.scp", 3)
    before = files(lab)

    def fail(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("asdkit.data.repair.write_tables", fail)
    with pytest.raises(KeyboardInterrupt):
        repair(lab)
    assert files(lab) == before


def test_an_empty_manifest_is_refused(lab, tmp_path):
    import_directory(lab, tmp_path / "out")
    for content, problem in (
        (gzip.compress(b""), "expected utterances, got none"),
        (b"", "expected a manifest, got an empty file"),
    ):
        (tmp_path / "out" / SUPERVISIONS).write_bytes(content)
        before = files(tmp_path / "out")
        with pytest.raises(DataError, match=problem):
            repair(tmp_path / "out")
        assert files(tmp_path / "out") == before
