from asdkit.__main__ import main
from asdkit.features.frontend import FrontEnd
from asdkit.io.store import load_arrays
from asdkit.ivector.system import IvectorSystem


def test_import_and_export_give_the_same_bytes_and_keep_the_options(golden, tmp_path):
    source, ours = golden / "extractor" / "3.ie", tmp_path / "ours"
    options = ["--cmn-window", "200", "--num-gselect", "8"]
    assert main(["kaldi-import", *options, str(source), str(ours)]) == 0
    arrays = load_arrays(ours / "extractor.npz", "IvectorSystem")
    system = IvectorSystem.from_state(*arrays)
    assert system.frontend == FrontEnd(cmn_window=200)
    assert system.num_gselect == 8

    kaldi = tmp_path / "kaldi"
    assert main(["kaldi-export", str(ours / "extractor.npz"), str(kaldi)]) == 0
    assert (kaldi / "final.ie").read_bytes() == source.read_bytes()


def test_a_damaged_model_is_one_line_and_leaves_nothing(golden, tmp_path, capsys):
    damaged = tmp_path / "final.ubm"
    damaged.write_bytes((golden / "full_ubm" / "0.ubm").read_bytes()[:5000])
    out = tmp_path / "out"
    assert main(["kaldi-import", str(damaged), str(out)]) == 1
    error, hint = capsys.readouterr().err.splitlines()[-2:]
    assert "final.ubm: byte 5000: expected" in error
    assert hint.startswith("  hint: the file is damaged")
    assert not out.exists()

    assert main(["kaldi-export", str(damaged), str(out)]) == 1
    assert "not an asdkit model" in capsys.readouterr().err
    assert not out.exists()
