import pytest

from asdkit.__main__ import main


@pytest.fixture
def data(golden, tmp_path, monkeypatch):
    monkeypatch.chdir(golden)
    out = tmp_path / "test"
    assert main(["kaldi-import", "data/test", str(out)]) == 0
    return out


def test_a_good_directory_passes(data, capsys):
    assert main(["data-validate", str(data)]) == 0
    assert f"{data}: 0 problems" in capsys.readouterr().err


def test_twenty_problems_are_shown_and_all_are_counted(data, capsys):
    lines = [f"spk12-utt{n % 4} nobody-{n} target" for n in range(7)]
    for n in range(20):
        (data / f"trials{n}").write_text("\n".join(lines) + "\n")
    assert main(["data-validate", str(data)]) == 1
    shown = capsys.readouterr().err
    assert f"error: {data}: 140 problems\n" in shown
    assert shown.count("\n  cure: ") == 20
    assert "(and 4 more of this sort)" in shown


def test_fix_repairs_and_says_what_is_left(data, capsys):
    text = (data / "spk2utt").read_text()
    (data / "spk2utt").write_text(text[::-1])
    (data / "trials").write_text("spk12-utt0 nobody target\n")
    assert main(["data-validate", "--fix", "true", str(data)]) == 1
    shown = capsys.readouterr().err
    assert f"repaired spk2utt (originals: {data}/.backup); 0 of 24" in shown
    assert f"error: {data}: 1 problems\n{data}/trials:1: the test utterance" in shown
    assert (data / "spk2utt").read_text() == text


def test_several_directories_are_checked_though_one_is_bad(data, tmp_path, capsys):
    (tmp_path / "bad").mkdir()
    assert main(["data-validate", str(tmp_path / "bad"), str(data)]) == 1
    shown = capsys.readouterr().err
    assert f"{tmp_path}/bad/utt2spk: no such file" in shown
    assert f"{data}: 0 problems" in shown
