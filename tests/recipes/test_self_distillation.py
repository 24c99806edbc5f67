"""egs/asvspoof2019/v2 as a user runs it, on ASVspoof 2019's layout in miniature."""

import re
import subprocess
from pathlib import Path

import pytest

from asdkit.base.options import choice_of
from asdkit.bin import cm_train, feats_compute
from asdkit.features.registry import FEATURES
from asdkit.nnet.registry import MODELS
from asdkit.training.objectives import OBJECTIVES

ROOT = Path(__file__).parents[2]
RECIPE = ROOT / "egs" / "asvspoof2019" / "v2"
TINY = """\
--channels=2
--stem=strided
--chunk-frames=60
--batch-size=16
--num-epochs=1
--learning-rate=1e-3
--num-workers=0
"""


@pytest.fixture
def recipe(tmp_path, copied):
    """Copy the recipe and what it sources; return its directory."""
    # v2 prints with v1's local/print_tables.py
    recipes = copied(tmp_path, "asvspoof2019")
    (recipes / "v2" / "conf" / "tiny").mkdir()
    (recipes / "v2" / "conf" / "tiny" / "train.conf").write_text(TINY)
    return recipes / "v2"


def run(recipe, *options):
    command = ["./run.sh", "--size", "tiny", "--nets", "ecanet9", *options]
    done = subprocess.run(command, cwd=recipe, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return done


def rows_of(printed):
    """Read the cells of the rows of Markdown tables."""
    rows = re.findall(r"^\| (.*) \|$", printed, re.MULTILINE)
    return [row.split(" | ") for row in rows]


def confs(*names):
    return [f"--config={RECIPE / 'conf' / name}.conf" for name in names]


@pytest.mark.parametrize("objective", ["plain", "self"])
@pytest.mark.parametrize("size", ["full", "small", "medium"])
def test_every_conf_says_what_cm_train_takes(size, objective, parse_conf):
    names = ["train"] if size == "full" else ["train", f"{size}/train"]
    args = parse_conf(cm_train, confs(*names, objective))
    choice_of(args, "network", MODELS)  # refuses what the chosen one does not have
    choice_of(args, "objective", OBJECTIVES)
    assert args.objective == ("labels" if objective == "plain" else "self_distillation")
    assert args.loss == "a_softmax"


def test_the_published_settings_are_the_default_ones(parse_conf):
    """papers.md, 2.4 and 2.5."""
    args = parse_conf(cm_train, confs("train", "self"))
    given = choice_of(args, "objective", OBJECTIVES)[1]
    assert not given.keys() & {"hard_share", "feature_weight", "temperature"}
    assert (args.optimizer, args.beta2, args.adam_epsilon) == ("adam", 0.98, 1e-9)
    assert (args.learning_rate, args.weight_decay) == (1e-4, 1e-4)
    assert (args.num_epochs, args.batch_size, args.chunk_frames) == (32, 32, 600)


@pytest.mark.parametrize(
    ("front", "first", "number"), [("f0", 0, 45), ("f0_high", 6, 39), ("full", 0, 0)]
)
def test_a_front_end_keeps_its_frequencies(front, first, number, parse_conf):
    args = parse_conf(feats_compute, ["--type=spectrum", *confs(front)])
    front_end, options = choice_of(args, "type", FEATURES)
    found = front_end(**options)
    assert (found.first_bin, found.num_bins) == (first, number)


@pytest.mark.slow
def test_it_ends_in_tables_with_and_without(asvspoof2019, recipe):
    """What is done is not done again; what is new is set beside it."""
    options = ["--corpus", asvspoof2019, "--seeds", "0", "--store", "false"]
    options += ["--front", "f0_high", "--ablate", "ecanet9", "--changes", "hard-on=all"]
    run(recipe, *options, "--objectives", "plain", "--stop-stage", "2")
    done = run(recipe, *options, "--stage", "2", "--objectives", "plain")
    assert done.stderr.count(" asdkit cm-train ") == 1  # the change, in stage 3

    names = ["plain", "self_hard-on=all"]
    rows = rows_of(done.stdout)
    head, _, *by_attack = rows[: 2 + len(names)]
    assert head[:6] == ["system", "seeds", "dev EER %", "EER %", "A07", "A08"]
    assert [cells[0] for cells in by_attack] == [f"ecanet9_{name}" for name in names]
    head, _, plain, change = rows[2 + len(names) :]
    assert head[3:7] == ["EER %", "less plain", "min t-DCF(2019)", "less plain"]
    assert plain[:3] == ["ecanet9", "plain", "1"]
    assert change[:3] == ["ecanet9", "self_hard-on=all", "1"]
    assert plain[7:9] == change[7:9]  # parameters, multiply-accumulates
    assert plain[4] == plain[6] == ""
    less = float(change[3]) - float(plain[3])
    assert float(change[4]) == pytest.approx(less, abs=0.011)


@pytest.mark.slow
def test_another_recipe_s_corpus_is_taken_as_it_is(other_recipe, recipe):
    options = ["--name", "other", "--source", f"{other_recipe}", "--seeds", "0"]
    run(recipe, *options, "--objectives", "plain", "--stop-stage", "2")
    assert (recipe / "exp/other/f0/ecanet9_plain/seed0/scores_eval").exists()
