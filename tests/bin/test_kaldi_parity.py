from asdkit.__main__ import main


def test_the_table_is_printed_and_fits_a_screen(golden, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert main(["kaldi-parity", "--num-utts", "2", str(golden)]) == 0
    printed = capsys.readouterr().out
    assert "42 ok, 0 differs, 0 not found" in printed
    assert max(map(len, printed.splitlines())) <= 80


def test_settings_reach_the_stages(golden, capsys):
    """With another window the frames differ, and with them what comes of them."""
    assert main(["kaldi-parity", "--cmn-window", "30", str(golden)]) == 1
    shown = capsys.readouterr()
    lines = [line for line in shown.out.splitlines() if line.endswith("differs")]
    assert {line.split("  ")[0].partition(":")[0] for line in lines} == {
        "diagonal EM",
        "full EM",
        "posteriors",
        "EM",
        "i-vectors, train",
        "i-vectors, test",
    }
    assert f"{len(lines)} rows of the table differ" in shown.err


def test_a_place_without_an_experiment_is_one_line_and_a_hint(tmp_path, capsys):
    assert main(["kaldi-parity", "--log-level", "WARNING", str(tmp_path)]) == 1
    error, hint = capsys.readouterr().err.splitlines()
    assert error.endswith("not one file of a Kaldi experiment was found")
    assert hint.startswith("  hint: asdkit kaldi-parity --help")
