"""egs/asvspoof2021/v1 as a user runs it, on ASVspoof 2019's layout in miniature."""

import itertools
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from asdkit.base.options import choice_of
from asdkit.bin import cm_train, nnet_train
from asdkit.features.registry import FRONT_ENDS
from asdkit.io.protocols import read_asv_protocol, read_cm_protocol
from asdkit.losses.registry import LOSSES
from asdkit.models.networks import load_network
from asdkit.nnet.registry import MODELS
from asdkit.training.objectives import OBJECTIVES

ROOT = Path(__file__).parents[2]
RECIPE = ROOT / "egs" / "asvspoof2021" / "v1"
OBJECTIVE_OF = {
    "adversarial": "adversarial",
    "distillation": "kl_cosine",
    "adversarial,distillation": "adversarial_distillation",
}
TINY = {
    "teacher": "--channels=2\n--embedding-dim=8\n",
    "student": "--channels=1\n--embedding-dim=8\n",
    "ge2e": "--utts-per-speaker=2\n--batch-size=8\n--chunk-frames=30\n"
    "--num-epochs=1\n--num-workers=0\n",
    "train": "--class-weights=none\n--chunk-frames=30\n--batch-size=8\n"
    "--num-epochs=1\n--num-workers=0\n",
}
OPTIONS = "--size tiny --seeds 0 --epsilons 0.05 --adversary-steps 2 --num-attacked 6"


@pytest.fixture
def recipe(tmp_path, copied):
    """Copy the recipe and what it sources; return its directory."""
    here = copied(tmp_path, "asvspoof2021/v1")
    (here / "conf" / "tiny").mkdir()
    for name, text in TINY.items():
        (here / "conf" / "tiny" / f"{name}.conf").write_text(text)
    return here


def run(recipe, *options):
    command = ["./run.sh", *OPTIONS.split(), *options]
    done = subprocess.run(command, cwd=recipe, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.mark.parametrize("size", ["full", "small", "medium"])
@pytest.mark.parametrize("network", ["teacher", "student"])
@pytest.mark.parametrize("extra", ["ge2e", "train", *OBJECTIVE_OF])
def test_every_conf_says_what_the_program_takes(network, extra, size, parse_conf):
    program, argv = cm_train, []
    training = "ge2e" if extra == "ge2e" else "train"
    for name in (network, training):
        argv += [f"--config={RECIPE}/conf/{name}.conf"]
        argv += [f"--config={RECIPE}/conf/{size}/{name}.conf"] * (size != "full")
    if extra in OBJECTIVE_OF:
        argv += [f"--objective={OBJECTIVE_OF[extra]}"]
        argv += [f"--config={RECIPE}/conf/{name}.conf" for name in extra.split(",")]
    if extra == "ge2e":
        program = nnet_train
    args = parse_conf(program, argv)
    for flag, choices in {
        "network": MODELS,
        "loss": LOSSES,
        "features": FRONT_ENDS,
        "objective": OBJECTIVES,
    }.items():
        choice_of(args, flag, choices)  # refuses what the chosen one does not have


@pytest.mark.parametrize(
    ("network", "variant", "adversary", "objective", "starts", "learns"),
    [
        ("teacher", "scratch", "fgsm", None, False, False),
        ("student", "ge2e", "fgsm", None, True, False),
        ("student", "adv", "pgd", "adversarial", False, False),
        ("teacher", "adv", "reversal", "speaker_reversal", False, False),
        ("teacher", "all", "fgsm", "adversarial", True, False),
        ("student", "kd", "fgsm", "kl_cosine", False, True),
        ("student", "all", "fgsm", "adversarial_distillation", True, True),
        ("student", "all", "reversal", "kl_cosine", True, True),
    ],
)
def test_a_variant_is_these_options(
    network, variant, adversary, objective, starts, learns, tmp_path
):
    known = {"gpu": "echo", "exp": f"{tmp_path}", "train": "data/train"}
    environment = os.environ | known | {"adversary": adversary}
    command = ["local/train_cm.sh", network, variant, "3"]
    done = subprocess.run(
        command, cwd=RECIPE, env=environment, capture_output=True, text=True, check=True
    )
    words = done.stdout.splitlines()[0].split()
    assert words[-3:] == [
        "data/train",
        "data/dev",
        f"{tmp_path}/{network}_{variant}/seed3",
    ]
    given = dict(itertools.pairwise(words))
    assert given.get("--objective") == objective
    assert given.get("--adversary") == (
        adversary if "adversarial" in (objective or "") else None
    )
    speakers = f"{tmp_path}/{network}_speakers/seed3/network.pt"
    assert given.get("--init-from") == (speakers if starts else None)
    assert given.get("--teacher") == (
        f"{tmp_path}/teacher_all/seed3" if learns else None
    )


def test_a_teacher_has_no_teacher():
    known = {"gpu": "echo", "exp": "exp", "train": "data/train"}
    done = subprocess.run(
        ["local/train_cm.sh", "teacher", "kd", "0"],
        cwd=RECIPE,
        env=os.environ | known,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert "there is no variant kd of the teacher" in done.stderr


def test_what_the_corpus_lacks_is_one_line_of_a_recipes_own_program_too(tmp_path):
    command = [sys.executable, "local/make_2021.py", tmp_path, tmp_path / "made"]
    done = subprocess.run(command, cwd=RECIPE, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith(f"make_2021.py: error: {tmp_path}: ")
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "made").exists()


@pytest.mark.slow
def test_from_2019_alone_to_the_tables_and_not_twice(asvspoof2019, recipe, by_stage):
    corpora = ["--corpus2019", asvspoof2019 / "LA", "--corpus2021", recipe / "made"]
    made = [*corpora, "--make-2021", "true", "--num-copies", "2", "--variants", "all"]
    printed = by_stage(recipe, *OPTIONS.split(), *made)

    cm = read_cm_protocol(recipe / "made/LA/CM/trial_metadata.txt", "asvspoof2021_la")
    assert len(cm.utt) == 2 * 4 * 2 * 2  # bona fide and spoofed, in two conditions
    assert set(cm.subset) == {"eval"}
    asv = read_asv_protocol(
        recipe / "made/LA/ASV/trial_metadata.txt", "asvspoof2021_la"
    )
    assert set(asv.utt) == set(cm.utt)
    assert len(set(cm.codec)) > 2
    for codec, way in zip(cm.codec, cm.columns["transmission"], strict=True):
        assert (codec == "none") == (way == "-")

    rows = [row.split(" | ") for row in re.findall(r"^\| (.*) \|$", printed, re.M)]
    systems = ["student_all", "teacher_all"]
    assert [name for name, *_ in rows] == 3 * ["system", "---", *systems]
    assert rows[0][2:5] == ["dev EER %", "EER %", "min t-DCF(2021)"]
    assert rows[8][2:] == ["none", "fgsm_0.05", "pgd_0.05"]
    small, large = (int(row[5].replace(",", "")) for row in rows[2:4])
    assert small < large
    options = load_network(recipe / "exp/codec/student_all/seed0/network.pt").options
    assert options["objective"]["name"] == "adversarial_distillation"
    assert options["init_from"].endswith("student_speakers/seed0/network.pt")
    assert options["teacher"]["teacher"] == "exp/codec/teacher_all/seed0"

    paths = [*(recipe / "exp").rglob("network.pt"), *(recipe / "exp").rglob("scores_*")]
    before = {path: path.stat().st_mtime_ns for path in paths}
    run(recipe, *made, "--stage", "3", "--stop-stage", "3")
    assert before == {path: path.stat().st_mtime_ns for path in paths}


@pytest.fixture
def deepfakes(asvspoof2019, tmp_path):
    """Lay out eval of 2019 as 2021 DF, half of it through a codec by name; its root."""
    root = tmp_path / "df"
    source = asvspoof2019 / "LA"
    audio, keys = root / "ASVspoof2021_DF_eval/flac", root / "DF/CM"
    audio.mkdir(parents=True)
    keys.mkdir(parents=True)
    protocol = source / "ASVspoof2019_LA_cm_protocols/ASVspoof2019.LA.cm.eval.trl.txt"
    lines = []
    for number, line in enumerate(protocol.read_text().splitlines()):
        spk, utt, _, attack, key = line.split()
        shutil.copy(
            source / f"ASVspoof2019_LA_eval/flac/{utt}.flac", audio / f"DF_{utt}.flac"
        )
        attack = "bonafide" if attack == "-" else attack
        codec = "nocodec" if number % 4 < 2 else "low_mp3"
        words = [spk, f"DF_{utt}", codec, "asvspoof", attack, key, "notrim", "eval"]
        vocoder = "bonafide" if key == "bonafide" else "traditional_vocoder"
        lines.append(" ".join([*words, vocoder, *"----"]))
    (keys / "trial_metadata.txt").write_text("\n".join(lines) + "\n")
    return root


@pytest.mark.slow
def test_deepfakes_end_in_tables_without_a_tdcf(
    asvspoof2019, deepfakes, recipe, by_stage
):
    options = f"{OPTIONS} --augment none --networks student --variants scratch"
    corpora = ["--corpus2019", asvspoof2019 / "LA", "--corpus2021", deepfakes]
    options = [*options.split(), *corpora, "--track", "df"]
    printed = by_stage(recipe, *options, first=1)
    rows = [row.split(" | ") for row in re.findall(r"^\| (.*) \|$", printed, re.M)]
    assert [name for name, *_ in rows] == 3 * ["system", "---", "student_scratch"]
    assert rows[0][2:5] == ["dev EER %", "EER %", "parameters"]
    assert rows[3][2:] == ["nocodec", "low_mp3"]
    seed = recipe / "exp/none/student_scratch/seed0"
    assert (seed / "scores_eval_df").exists()
    assert not (seed / "scores_eval").exists()


def test_deepfakes_are_not_made_of_2019(recipe):
    command = ["./run.sh", "--track", "df", "--make-2021", "true"]
    done = subprocess.run(command, cwd=recipe, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.endswith("run.sh: --make-2021 makes LA, not DF\n")


@pytest.mark.slow
def test_another_recipe_s_corpus_is_taken_as_it_is(other_recipe, recipe):
    options = ["--name", "other", "--source", f"{other_recipe}", "--variants"]
    run(recipe, *options, "scratch", "--networks", "student", "--augment", "none")
    assert (recipe / "exp/other/none/student_scratch/seed0/scores_eval").exists()
    assert (recipe / "exp/other/none/report.html").exists()
