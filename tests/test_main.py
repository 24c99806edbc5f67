"""The asdkit command as a user meets it."""

import argparse
import errno
import importlib
import os
import subprocess
import sys

import pytest

import asdkit
from asdkit import __main__ as command
from asdkit.base.errors import DataError
from asdkit.base.outputs import Output, OutputDir
from asdkit.base.parsing import ANY


class Listener(argparse.ArgumentParser):
    """Collect what a program declares."""


def parser_of(name):
    module = importlib.import_module(f"asdkit.bin.{name.replace('-', '_')}")
    parser = Listener(allow_abbrev=False)
    module.add_arguments(parser)
    return module, parser


@pytest.fixture
def program(monkeypatch, tmp_path):
    """Install a program whose main is given; return how to run it."""

    def install(main, *outputs):
        module = importlib.import_module("types").ModuleType("asdkit.bin.data_probe")
        module.__doc__ = "Probe."
        module.add_arguments = lambda parser: [
            parser.add_argument(f"output{n}", type=OutputDir)
            for n in range(len(outputs))
        ]
        module.main = main
        monkeypatch.setitem(sys.modules, "asdkit.bin.data_probe", module)
        monkeypatch.setattr(command, "programs", lambda: {"data-probe": "Probe."})
        return command.main(["data-probe", *map(str, outputs)])

    return install


@pytest.mark.parametrize("name", sorted(command.programs()))
def test_every_program_has_a_summary_an_example_and_help_for_every_flag(name):
    module, parser = parser_of(name)
    assert module.__doc__.partition("\n")[0].endswith(".")
    assert f"e.g.: asdkit {name}" in module.__doc__
    for action in parser._actions:
        assert action.help, f"{name}: {action.dest} has no help"
    assert parser.format_help()


# Numbers that may be any: frequencies count from either end, levels are in dB,
# biases are log odds.
UNBOUNDED = {
    *("blackman_coeff", "low_freq", "high_freq", "snr_db"),
    *("vad_energy_threshold", "vad_energy_mean_scale", "speech_bias", "threshold"),
}


@pytest.mark.parametrize("name", sorted(command.programs()))
def test_every_number_that_a_program_takes_has_a_range(name):
    for action in parser_of(name)[1]._actions:
        if action.metavar in ("N", "X") or action.type in (int, float):
            _, allowed = action.type.args
            option = action.dest.rpartition(".")[2]
            assert allowed != ANY or option in UNBOUNDED, action.dest


# They only read; or hold what they write themselves, once they know what it will be.
NO_OUTPUTS = {
    *("cost-table", "doctor", "kaldi-parity", "leak-check", "model-info"),
    *("results", "backend-metrics", "plan"),
    *("nnet-info", "score-check", "score-metrics", "segment-metrics", "data-validate"),
    "kaldi-import",
    *("verify", "enroll", "identify", "profile-list", "profile-remove"),
    *("serve", "stream"),
}


@pytest.mark.parametrize("name", sorted(command.programs()))
def test_every_program_marks_what_it_writes(name):
    marked = 0
    for action in parser_of(name)[1]._actions:
        is_output = isinstance(action.type, type) and issubclass(action.type, Output)
        is_place = action.metavar != "true|false"
        writes = is_place and action.help.startswith(("where to write", "write "))
        assert is_output == writes or name in NO_OUTPUTS, action.dest
        marked += is_output
    assert (marked == 0) == (name in NO_OUTPUTS)


def test_help_lists_all_programs_without_importing_what_is_slow():
    code = (
        "import sys; from asdkit.__main__ import main; main(['--help']);"
        "assert not {'torch', 'numpy', 'lhotse'} & sys.modules.keys()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert all(name in done.stdout for name in command.programs())


@pytest.mark.parametrize("name", sorted(command.programs()))
def test_every_program_has_a_subject_in_the_help(name):
    assert command.subject_of(name) in command.usage()


def test_help_fits_80_columns():
    assert max(map(len, command.usage().splitlines())) <= 80


def test_version_is_the_package_s(capsys):
    assert command.main(["--version"]) == 0
    assert capsys.readouterr().out == f"asdkit {asdkit.__version__}\n"


def test_usage_is_one_line_with_what_must_be_given(capsys):
    with pytest.raises(SystemExit, match="0"):
        command.main(["score-fuse", "--help"])
    usage, blank, *_ = capsys.readouterr().out.splitlines()
    assert usage == "usage: asdkit score-fuse [OPTIONS] model scores ... llrs"
    assert not blank


def test_an_unknown_command_names_the_nearest(capsys):
    assert command.main(["score-metric"]) == 2
    expected = "asdkit: no command 'score-metric'; did you mean score-metrics?\n"
    assert capsys.readouterr().err == expected


def test_wrong_data_is_one_line_and_a_hint(program, capsys):
    def main(args):
        raise DataError("utt2spk", "expected two fields", line=17, hint="mend it")

    assert program(main) == 1
    err = capsys.readouterr().err.splitlines()
    assert err[-2:] == [
        "asdkit data-probe: error: utt2spk:17: expected two fields",
        "  hint: mend it",
    ]


def test_a_full_disk_is_one_line(program, capsys):
    def main(args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "exp/feats.ark")

    assert program(main) == 1
    err = capsys.readouterr().err.splitlines()
    expected = "asdkit data-probe: error: exp/feats.ark: No space left on device"
    assert err[-1] == expected


def test_ctrl_c_is_one_line(program, capsys):
    def main(args):
        raise KeyboardInterrupt

    assert program(main) == 130
    assert "interrupted" in capsys.readouterr().err.splitlines()[-1]


def test_ctrl_c_is_one_line_even_before_the_program_is_found(monkeypatch, capsys):
    def interrupt():
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "programs", interrupt)
    assert command.main(["doctor"]) == 130
    assert capsys.readouterr().err == (
        "asdkit doctor: interrupted; nothing half-written\n"
    )


def test_a_bug_keeps_its_traceback(program):
    def main(args):
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        program(main)


def test_an_unusable_output_is_one_line_before_any_work(program, capsys, tmp_path):
    (tmp_path / "file").touch()

    def main(args):
        raise AssertionError("it works in vain")

    assert program(main, tmp_path / "a", tmp_path / "file" / "b") == 1
    assert os.listdir(tmp_path) == ["file"]
    error = capsys.readouterr().err.splitlines()[-2]
    problem = "expected a directory to write into, but"
    assert error.startswith(f"asdkit data-probe: error: {tmp_path}/file/b: {problem}")


def test_outputs_are_held_while_a_program_runs_and_left_as_they_were(program, tmp_path):
    def main(args):
        assert len(list(tmp_path.glob("[ab]/.asdkit.lock"))) == 2
        raise DataError("utt2spk", "expected two fields")

    assert program(main, tmp_path / "a", tmp_path / "b") == 1
    assert not os.listdir(tmp_path)


def test_an_answer_goes_to_stdout(program, capsys):
    assert program(lambda args: "EER 1.00 %") == 0
    assert capsys.readouterr().out == "EER 1.00 %\n"
