import pytest

from asdkit.__main__ import main
from asdkit.data.manifests import read_utterances


def test_a_kaldi_directory_is_taken_over(golden, tmp_path):
    source = str(golden / "data" / "test")
    out = str(tmp_path / "out")
    assert main(["kaldi-import", "--root", str(golden), source, out]) == 0
    assert len(read_utterances(out)) == 24


def test_bad_input_is_one_line_and_a_hint(golden, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["kaldi-import", str(golden / "data" / "test"), str(out)]) == 1
    error, hint = [
        line for line in capsys.readouterr().err.splitlines() if "WARNING" not in line
    ][-2:]
    assert error.startswith("asdkit kaldi-import: error: ")
    assert "wav.scp:1: 24 of 24 recordings cannot be read, first 'spk12-utt0'" in error
    assert hint == "  hint: give --root, the directory that relative paths start from"
    assert not out.exists()


@pytest.mark.parametrize("name", ["none", "none/at/all"])
def test_a_source_that_is_not_there_is_named(tmp_path, capsys, name):
    assert main(["kaldi-import", str(tmp_path / name), str(tmp_path / "out")]) == 1
    assert f"{tmp_path / name}: no such" in capsys.readouterr().err
