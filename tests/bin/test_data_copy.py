import pytest

from asdkit.__main__ import main
from asdkit.data.manifests import read_utterances


def test_a_prefix_and_a_crop(golden, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(golden)
    test, copy = (str(tmp_path / name) for name in ("test", "copy"))
    assert main(["kaldi-import", "data/test", test]) == 0
    options = ["--utt-prefix", "1s-", "--crop-sec", "1"]
    assert main(["data-copy", *options, test, copy]) == 0
    first, *_ = read_utterances(copy)
    assert first.utt == "1s-" + read_utterances(test)[0].utt
    assert first.duration == 1
    with pytest.raises(SystemExit):
        main(["data-copy", "--crop-sec", "-1", test, copy])
    assert "--crop-sec" in capsys.readouterr().err
