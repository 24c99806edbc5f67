"""The grammar of a recipe, as a user meets it."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / "tools"
RECIPE = """#!/usr/bin/env bash
# A recipe that says what it does.
#
#   ./run.sh --num-gauss 8

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

num_gauss=32
net=small   # conf/$net.conf
corpus=     # DIR with audio
teacher=    # PATH: a DIR, or ark:FILE
others=     # DIRS of other systems
nj=1

. path.sh
. stages.sh
. parse_options.sh
. cmd.sh

ubm=exp/ubm_$num_gauss

if stage 0 "prepare"; then
  echo "prepare $corpus|$teacher|$others|$net"
fi

if stage 1 "train"; then
  need 0 data/{train,test}
  echo "train $num_gauss: $cpu; $gpu"
fi

if [[ -z $teacher ]] && stage 2 "fail"; then
  false
fi

if stage 3 "score"; then
  [[ $net == small ]] || need 1 "$ubm/$net"
  need 1 "$ubm/ubm.npz"
  echo score
fi

if stage 4 "print"; then
  given corpus
  need ../v1 ../v1/scores
  need 3 exp/*/scores
fi
"""


@pytest.fixture
def recipe(tmp_path):
    """Write a recipe, v2, among others that are not there."""
    script = tmp_path / "egs" / "v2" / "run.sh"
    script.parent.mkdir(parents=True)
    script.write_text(RECIPE)
    script.chmod(0o755)
    return script.parent


def launch(path, *arguments, cwd=None, **more):
    path_of_all = f"{ROOT}:{TOOLS}:/usr/bin:/bin"
    return subprocess.run(
        [path, *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={"PATH": path_of_all, "HOME": os.environ.get("HOME", "/")} | more,
    )


@pytest.fixture
def run(recipe):
    """Run it in its own directory; stages 1 and 3 have what they need."""
    for name in ("data/train", "data/test", "exp/ubm_32/ubm.npz"):
        (recipe / name).mkdir(parents=True)

    def run(*arguments, **more):
        return launch("./run.sh", *arguments, cwd=recipe, **more)

    return run


def error_of(done, status):
    """Read the only line of its stderr that is no line of a stage."""
    assert done.returncode == status, done.stderr
    (line,) = (x for x in done.stderr.splitlines() if ": stage " not in x[19:40])
    return line


def test_stages_run_from_stage_to_stop_stage(run):
    done = run("--stage", "0", "--stop-stage", "01", "--corpus", "/a b")
    assert done.returncode == 0
    assert done.stdout == "prepare /a b|||small\ntrain 32: asdkit; asdkit\n"
    assert "run.sh: stage 1: train" in done.stderr


def test_a_failing_stage_stops_the_recipe(run):
    done = run()
    assert done.returncode == 1
    assert "score" not in done.stdout


@pytest.mark.parametrize("status", [0, 1])
def test_ctrl_c_ends_a_recipe_however_its_program_ends(recipe, status):
    script = recipe / "run.sh"
    met = f"""bash -c "trap 'exit {status}' INT; echo waiting; sleep 60 & wait"
  echo "prepare"""
    script.write_text(RECIPE.replace('echo "prepare', met))
    environment = {"PATH": f"{ROOT}:{TOOLS}:/usr/bin:/bin"}
    process = subprocess.Popen(
        [script],
        # What starts the tests may ignore it, and so would bash.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
    )
    assert process.stdout.readline() == "waiting\n"
    os.killpg(process.pid, signal.SIGINT)
    assert process.communicate()[0] == ""
    assert process.returncode == 130


def test_an_option_sets_its_variable(run):
    done = run("--num-gauss", "8", "--stop-stage", "1")
    assert "\ntrain 8: " in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--stag", "4"], "unknown option --stag; did you mean --stage?"),
        (["--num-gaus", "4"], "unknown option --num-gaus; did you mean --num-gauss?"),
        (["--launch", "x"], "unknown option --launch; did you mean --launcher?"),
        (["--path", "x"], "unknown option --path; see --help"),
        (["--_script", "x"], "unknown option --_script; see --help"),
        (["--stage=4"], "write '--stage 4', not '--stage=4'"),
        (["--num-gauss"], "option --num-gauss needs a value"),
        (["--num-gauss", "--stage", "3"], "option --num-gauss needs a value"),
        (["--stage", "four"], "--stage takes a number, not 'four'"),
        (["4"], "unexpected argument '4'; see --help"),
        (
            ["--stage", "3", "--stop-stage", "1"],
            "--stage 3 comes after --stop-stage 1: nothing would run",
        ),
        (["--stage", "5"], "there is no stage 5; the last is 4"),
        (["--nj", "two"], "--nj takes a number from 1, not 'two'"),
        (["--nj", "0"], "--nj takes a number from 1, not '0'"),
        (
            ["--launcher", "slrum"],
            "--launcher takes local, torchrun or slurm, not 'slrum'; "
            "did you mean slurm?",
        ),
        (["--launcher", "x"], "--launcher takes local, torchrun or slurm, not 'x'"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(run, arguments, message):
    done = run(*arguments)
    assert (done.returncode, done.stderr) == (2, f"run.sh: {message}\n")
    assert done.stdout == ""


def test_help_is_the_comment_and_the_options(run):
    text = run("--help").stdout
    assert text.startswith("A recipe that says what it does.\n")
    assert "--num-gauss 32" in text
    assert "--corpus # DIR with audio" in " ".join(text.split())
    assert "--stop-stage 99" in text
    assert "--launcher local" in text
    assert "_script" not in text


# From another folder.


def test_a_recipe_runs_from_anywhere(run, recipe, tmp_path):
    for here, path in [
        (tmp_path, "egs/v2/run.sh"),
        (recipe / "data", "../run.sh"),
        (Path("/"), f"{recipe}/run.sh"),
    ]:
        done = launch(path, "--stage", "1", "--stop-stage", "1", cwd=here)
        assert (done.returncode, done.stdout) == (0, "train 32: asdkit; asdkit\n")
        assert "--num-gauss 32" in launch(path, "--help", cwd=here).stdout
    assert sorted(path.name for path in recipe.iterdir()) == ["data", "exp", "run.sh"]


@pytest.mark.parametrize(
    ("here", "given", "seen"),
    [
        ("", ["--corpus", "corpora/x"], "{}/corpora/x|||small"),
        ("egs", ["--corpus", "../y"], "{}/egs/../y|||small"),
        ("egs", ["--teacher", "v2/exp/net"], "|exp/net||small"),
        ("egs", ["--teacher", "ark:v2/exp/a.ark"], "|ark:exp/a.ark||small"),
        ("egs", ["--teacher", "ark:/a.ark"], "|ark:/a.ark||small"),
        ("egs", ["--others", "v2/exp/* w  /v"], "||exp/* {}/egs/w /v|small"),
        ("egs", ["--corpus", ""], "|||small"),
        ("egs", ["--net", "v2"], "|||v2"),
        ("egs/v2", ["--corpus", "../c", "--teacher", "exp/t"], "../c|exp/t||small"),
        ("egs/v2", ["--corpus", "."], ".|||small"),
    ],
)
def test_a_path_starts_where_the_user_stands(recipe, tmp_path, here, given, seen):
    """And what is below the recipe has the same name from everywhere."""
    done = launch(f"{recipe}/run.sh", "--stop-stage", "0", *given, cwd=tmp_path / here)
    assert done.stdout == f"prepare {seen.format(tmp_path)}\n"


def test_a_recipe_fails_if_what_it_sources_is_not_there(tmp_path, recipe):
    """It used to print twenty errors and exit 0."""
    done = launch(f"{recipe}/run.sh", cwd=tmp_path, PATH=f"{TOOLS}:/usr/bin:/bin")
    assert done.returncode == 1
    assert "path.sh" in error_of(done, 1)
    assert done.stdout == ""


def test_path_sh_can_be_sourced_twice_and_loses_nothing():
    script = (
        "set -euo pipefail; unset VIRTUAL_ENV; . ./path.sh; . ./path.sh;"
        " echo $PATH; echo $PYTHONPATH"
    )
    for others, before in ({}, ""), ({"PYTHONPATH": "/mine:/yours"}, ":/mine:/yours"):
        command = ["bash", "-c", script]
        path = f"{TOOLS}x:/usr/bin:/bin"
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={"PATH": path} | others,
            capture_output=True,
            text=True,
        )
        assert done.stderr == ""
        found, python = done.stdout.splitlines()
        assert found.endswith(path)
        assert found.count(f"{TOOLS}:") == 1
        assert found.startswith(f"{TOOLS}:") or ".venv/bin" in found
        assert python == f"{ROOT}{before}"


# What a stage needs.


def test_a_stage_names_the_stage_that_makes_what_it_lacks(recipe):
    done = launch("./run.sh", "--stage", "1", "--nj", "2", cwd=recipe)
    need = "stage 1 needs data/train, which stage 0 makes"
    assert error_of(done, 1) == f"run.sh: {need}: ./run.sh --nj 2 --stage 0"
    assert done.stdout == ""
    assert [path.name for path in recipe.iterdir()] == ["run.sh"]


def test_the_first_stage_that_has_to_run_is_named(recipe):
    done = launch("./run.sh", "--stage", "3", "--stop-stage", "3", cwd=recipe)
    assert error_of(done, 1).endswith(
        "exp/ubm_32/ubm.npz, which stage 1 makes; begin with stage 0: "
        "./run.sh --stage 0"
    )
    for part in ("train", "test"):
        (recipe / "data" / part).mkdir(parents=True)
    done = launch("./run.sh", "--stage", "3", "--corpus", "a b", cwd=recipe)
    assert error_of(done, 1).endswith(
        "exp/ubm_32/ubm.npz, which stage 1 makes: ./run.sh --corpus a\\ b --stage 1"
    )


def test_a_need_may_have_a_condition_or_be_another_recipe_s(run, recipe):
    assert (
        "needs exp/ubm_32/deep, which stage 1"
        in run(*("--stage", "3", "--net", "deep", "--stop-stage", "3")).stderr
    )
    assert run("--stage", "3", "--stop-stage", "3").stdout == "score\n"
    assert "stage 4 needs --corpus; see --help" in error_of(run("--stage", "4"), 2)
    last = ["--stage", "4", "--corpus", "x"]
    assert error_of(run(*last), 1) == (
        "run.sh: stage 4 needs ../v1/scores, which ../v1/run.sh makes; see --help"
    )
    (recipe.parent / "v1" / "scores").mkdir(parents=True)
    assert "needs exp/*/scores, which stage 3 makes" in error_of(run(*last), 1)
    (recipe / "exp" / "ubm_32" / "scores").touch()
    assert run(*last).returncode == 0


# How programs start.

SRUN = "srun --kill-on-bad-exit --quit-on-interrupt --ntasks {}"
TORCHRUN = "torchrun --standalone --nproc-per-node {} -m asdkit"


@pytest.fixture
def slurm(tmp_path):
    """Stand in for Slurm's programs: sinfo's generic resources -> PATH."""
    folder = tmp_path / "slurm"
    folder.mkdir()

    def set_up(generic_resources):
        for name, text in ("srun", ""), ("sinfo", f"echo '{generic_resources}'"):
            (folder / name).write_text(f"#!/bin/sh\n{text}\n")
            (folder / name).chmod(0o755)
        return f"{ROOT}:{TOOLS}:{folder}:/usr/bin:/bin"

    return set_up


@pytest.mark.parametrize(
    ("options", "gpus", "cpu", "gpu"),
    [
        ("", "", "asdkit", "asdkit"),
        ("--nj 2", "", TORCHRUN.format(2), TORCHRUN.format(2)),
        ("--launcher torchrun", "", TORCHRUN.format(1), TORCHRUN.format(1)),
        ("--launcher torchrun --nj 8", "", TORCHRUN.format(8), TORCHRUN.format(8)),
        ("--launcher slurm --nj 4", "(null)", *2 * [f"{SRUN.format(4)} asdkit"]),
        (
            "--launcher slurm --nj 4",
            "gpu:a100:8",
            f"{SRUN.format(4)} asdkit",
            f"{SRUN.format(4)} --gpus-per-task 1 asdkit",
        ),
    ],
)
def test_a_launcher_starts_programs_for_both(run, slurm, options, gpus, cpu, gpu):
    """On Slurm, $gpu used to stay with torchrun, on the login node."""
    one = ["--stage", "1", "--stop-stage", "1"]
    done = run(*one, *options.split(), PATH=slurm(gpus), gpu="of the environment")
    assert done.stdout == f"train 32: {cpu}; {gpu}\n"


def test_a_recipe_may_say_how_many_threads_a_rank_has(run, recipe):
    """What the environment says is the user's choice where the recipe has none."""
    one = ["--stage", "1", "--stop-stage", "1"]
    script = recipe / "run.sh"
    text = script.read_text().replace("$cpu; $gpu", "${OMP_NUM_THREADS:-unset}")
    script.write_text(text)
    assert run(*one, OMP_NUM_THREADS="7").stdout == "train 32: 7\n"
    script.write_text(text.replace("nj=1\n", "nj=1\nnum_threads=3\n"))
    assert run(*one, OMP_NUM_THREADS="7").stdout == "train 32: 3\n"
    assert run(*one, "--num-threads", "2").stdout == "train 32: 2\n"
    message = "run.sh: --num-threads takes a number from 1, not 'all'"
    assert error_of(run(*one, "--num-threads", "all"), 2) == message


def test_a_lab_s_own_cmd_sh_wins(run, recipe):
    (recipe / "cmd.sh").write_text('cpu="qsub $nj"\ngpu="qsub --gpu $launcher"\n')
    done = run("--stage", "1", "--stop-stage", "1", "--launcher", "sge", "--nj", "3")
    assert done.stdout == "train 32: qsub 3; qsub --gpu sge\n"
    (recipe / "cmd.sh").write_text("cpu=asdkit\n")
    done = run("--stage", "1", "--stop-stage", "1")
    assert done.returncode != 0
    assert "gpu: cmd.sh must set it" in done.stderr


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--stag", "1", "unknown option --stag; see --help"),  # a guess takes Python
        ("--launcher", "slurm", "--launcher slurm: there is no srun here"),
    ],
)
def test_the_grammar_needs_little(recipe, tmp_path, option, value, message):
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("bash", "env", "basename", "dirname", "sed", "tr", "tail", "date"):
        (programs / name).symlink_to(shutil.which(name))
    path = f"{ROOT}:{TOOLS}:{programs}"
    done = launch(
        "./run.sh", option, value, cwd=recipe, PATH=path, VIRTUAL_ENV="none"
    )  # else path.sh brings the Python of .venv
    assert (done.returncode, done.stderr) == (2, f"run.sh: {message}\n")


@pytest.mark.parametrize(
    ("options", "fetched", "code"),
    [
        ("", [], 0),
        ("--download false", [], 0),
        ("--download true", ["musan /m", "rirs_noises /r"], 0),
        ("--download yes", [], 2),
    ],
)
def test_the_network_is_used_on_request_only(tmp_path, options, fetched, code):
    """What a recipe fetches it hands to corpus-download, which is faked here."""
    (tmp_path / "asdkit").write_text('#!/bin/sh\necho "$2 $3"\n')
    (tmp_path / "asdkit").chmod(0o755)
    recipe = tmp_path / "run.sh"
    recipe.write_text(
        f"#!/usr/bin/env bash\n# A recipe.\n\nset -euo pipefail\ndownload=false\n\n"
        f". {TOOLS}/stages.sh\n. {TOOLS}/parse_options.sh\n"
        'if stage 0 "prepare"; then\n  fetch musan /m rirs_noises /r\nfi\n'
    )
    path = f"{tmp_path}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "run.sh", *options.split()],
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
    )
    assert (done.stdout.splitlines(), done.returncode) == (fetched, code), done.stderr
