import pytest

from asdkit.__main__ import main
from asdkit.data.manifests import read_utterances


@pytest.fixture
def data(golden, tmp_path, monkeypatch):
    monkeypatch.chdir(golden)
    assert main(["kaldi-import", "data/test", str(tmp_path / "in")]) == 0
    return tmp_path / "in"


@pytest.mark.parametrize(
    ("options", "count"),
    [
        (["--longest", "7"], 7),
        (["--random", "5", "--seed", "3"], 5),
        (["--per-spk", "2"], 12),
        (["--utt-list", "data/test/utt2num_frames", "--random", "3"], 3),
        (["--spk-list", "LIST"], 4),
    ],
)
def test_conditions_choose(data, tmp_path, options, count):
    (tmp_path / "list").write_text("spk13\n")
    options = [str(tmp_path / "list") if x == "LIST" else x for x in options]
    assert main(["data-subset", *options, str(data), str(tmp_path / "out")]) == 0
    assert len(read_utterances(tmp_path / "out")) == count


def test_an_unknown_id_is_named(data, tmp_path, capsys):
    (tmp_path / "list").write_text("spk13-utt0\nspk99\n")
    options = ["--utt-list", str(tmp_path / "list")]
    assert main(["data-subset", *options, str(data), str(tmp_path / "out")]) == 1
    assert "list:2: 'spk99' is unknown (1 such lines)" in capsys.readouterr().err


def test_tables_choose_and_several_conditions_all_hold(data, tmp_path, capsys):
    out = str(tmp_path / "out")
    speakers = ["--where", "utt2spk=spk12,spk13", "--where", "utt2spk=spk13"]
    assert main(["data-subset", *speakers, str(data), out]) == 0
    assert {item.spk for item in read_utterances(out)} == {"spk13"}
    assert main(["data-subset", "--where", "utt2spk=nobody", str(data), out]) == 1
    assert "no utterance has the value 'nobody'" in capsys.readouterr().err
