from asdkit.__main__ import main
from asdkit.data.manifests import read_utterances


def test_two_directories_become_one(golden, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(golden)
    train, test, both = (str(tmp_path / name) for name in ("train", "test", "both"))
    assert main(["kaldi-import", "data/train", train]) == 0
    assert main(["kaldi-import", "data/test", test]) == 0
    assert main(["data-combine", train, test, both]) == 0
    assert read_utterances(both) == read_utterances(train) + read_utterances(test)
    assert main(["data-combine", train, both, test]) == 1
    assert "'spk00-utt0' is in an earlier directory, too" in capsys.readouterr().err
