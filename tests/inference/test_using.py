"""What the commands of a bundle's users share: files to look at, tables, exit codes."""

import pytest

from asdkit.base.answers import CheckFailed
from asdkit.base.errors import DataError
from asdkit.inference.score import Score
from asdkit.inference.using import as_table, detect_each, fail_on, find_audio
from asdkit.inference.verdict import Verdict
from asdkit.metrics.decision_costs import DecisionCosts


def verdict(value, calibrated=True, **more):
    score = Score(value, "llr", calibrated)
    return Verdict("bona fide speech", score, DecisionCosts(), (1.25,), **more)


def test_directories_and_lists_are_searched(tmp_path):
    (tmp_path / "deep").mkdir()
    for name in ("b.WAV", "deep/a.flac", "c.txt2"):
        (tmp_path / name).touch()
    found = find_audio([str(tmp_path), "x.wav"])
    assert found == [f"{tmp_path}/b.WAV", f"{tmp_path}/deep/a.flac", "x.wav"]
    (tmp_path / "some.scp").write_text("utt1 one.wav\n\ntwo.wav\n")
    assert find_audio([str(tmp_path / "some.scp")]) == ["one.wav", "two.wav"]


def test_what_holds_no_sound_files_is_refused(tmp_path):
    with pytest.raises(DataError, match="expected sound files in it"):
        find_audio([str(tmp_path)])
    with pytest.raises(DataError, match="no such list"):
        find_audio([str(tmp_path / "none.lst")])
    (tmp_path / "empty.txt").write_text("\n")
    with pytest.raises(DataError, match="a sound file per line, got none"):
        find_audio([str(tmp_path / "empty.txt")])


def test_a_row_for_each_recording_and_a_sentence_for_one():
    several = [verdict(1.5), verdict(-0.5, notes=("it is short",))]
    table = as_table(["a.wav", "b.wav"], several)
    rows = [[x if isinstance(x, str) else x.value for x in row] for row in table.rows]
    assert rows == [
        ["a.wav", "accept", 1.5, "llr", 0.0, 1.25],
        ["b.wav", "reject", -0.5, "llr", 0.0, 1.25],
    ]
    assert table.notes == ["Note: it is short."]
    assert as_table(["a.wav"], several[:1]).notes == [several[0].sentence]
    spoofed = as_table(["a.wav"], [verdict(1.0, spoof=verdict(-2.0))])
    assert spoofed.titles[-1] == "bona fide"
    assert spoofed.rows[0][-1].value == -2.0


def test_a_decision_may_be_an_exit_code():
    verdicts = [verdict(1.0), verdict(-1.0), verdict(0.5, calibrated=False)]
    table = as_table(["a", "b", "c"], verdicts)
    assert fail_on("none", verdicts, table) is table
    assert fail_on("undecided", verdicts[:1], table) is table
    assert fail_on("reject", [verdicts[0], verdicts[2]], table) is table
    for what, number in (("reject", 1), ("undecided", 2)):
        with pytest.raises(CheckFailed, match=f"{number} of 3: reject") as caught:
            fail_on(what, verdicts, table)
        assert caught.value.answer is table


def test_a_folder_named_like_a_sound_file_is_none(tmp_path):
    (tmp_path / "deep.wav").mkdir()
    (tmp_path / "deep.wav" / "a.wav").touch()
    assert find_audio([str(tmp_path)]) == [f"{tmp_path}/deep.wav/a.wav"]
    (tmp_path / "list.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match=r"list\.txt: expected"):
        find_audio([str(tmp_path / "list.txt")])


def test_a_name_cannot_break_its_row_and_json_has_it_as_it_is():
    name = "a\n\x1b[2J.wav"
    table = as_table([name], [verdict(1.5, notes=(f"{name}: it is short",))])
    assert len(table.text().splitlines()) == 4
    assert "\x1b" not in table.text()
    assert table.to_json()["rows"][0]["recording"] == name


def test_every_file_has_an_answer_or_a_reason():
    class Picky:
        cm = None

        heard = ()

        def hear_cm(self, file, channel):
            self.heard += (file,)
            if file == "bad.wav":
                raise DataError(file, "no speech: found 0.00 s in its 1.00 s")
            if file == "long":
                raise OSError(36, "File name too long")
            return channel

        def judge(self, channel):
            return verdict(1.0, spoof=verdict(float(channel)))

    files = ["good.wav", "bad.wav", "long"]
    picky, drawn = Picky(), []
    answers = detect_each(picky, files, 1, lambda *x: drawn.append(x))
    assert list(picky.heard) == files  # each is read once, a picture or not
    assert drawn == [("good.wav", 1, answers[0])]
    table = as_table(files, answers)
    rows = table.to_json()["rows"]
    assert [x["decision"] for x in rows] == ["accept", "failed", "failed"]
    assert [x["bona fide"] for x in rows] == [1.0, None, None]
    assert rows[1]["problem"] == "no speech: found 0.00 s in its 1.00 s"
    assert rows[2]["problem"] == "File name too long"
    with pytest.raises(CheckFailed, match=r"2 of 3 recordings have no answer$"):
        fail_on("reject", answers, table)
    with pytest.raises(CheckFailed, match="no answer; 1 of 3: reject"):
        fail_on("reject", [verdict(-1.0), *answers[1:]], table)
    with pytest.raises(DataError, match=r"bad\.wav: no speech"):
        fail_on("none", answers[1:2], table)
