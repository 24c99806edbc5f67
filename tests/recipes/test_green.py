"""egs/asvspoof2019/v3 as a user runs it, on ASVspoof 2019's layout in miniature."""

import csv
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

from asdkit.base.options import choice_of
from asdkit.bin import cm_classifier_train
from asdkit.countermeasures.registry import CLASSIFIERS

ROOT = Path(__file__).parents[2]
RECIPE = ROOT / "egs" / "asvspoof2019" / "v3"
CHOSEN = ("logistic", "tree")
WAV2VEC2 = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "conv_dim": (8,) * 7,
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 2,
}


@pytest.fixture
def recipe(tmp_path, copied):
    """Copy the recipe and what it sources; return its directory."""
    return copied(tmp_path, "asvspoof2019/v3")


@pytest.fixture
def checkpoint(tmp_path, torchaudio):
    """A wav2vec 2.0 with random weights and a classifier of letters."""
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    model = transformers.Wav2Vec2ForCTC(transformers.Wav2Vec2Config(**WAV2VEC2))
    model.save_pretrained(tmp_path / "wav2vec2")
    processor = transformers.Wav2Vec2FeatureExtractor(do_normalize=True)
    processor.save_pretrained(tmp_path / "wav2vec2")
    return tmp_path / "wav2vec2"


def rows_of(printed):
    """Read the cells of the rows of Markdown tables."""
    rows = re.findall(r"^\| (.*) \|$", printed, re.MULTILINE)
    return [row.split(" | ") for row in rows]


@pytest.mark.parametrize("classifier", CLASSIFIERS)
def test_every_conf_says_what_cm_classifier_train_takes(classifier, parse_conf):
    conf = RECIPE / "conf" / f"{classifier}.conf"
    args = parse_conf(cm_classifier_train, [f"--config={conf}"])
    assert args.classifier == classifier
    del args.seed
    choice_of(args, "classifier", CLASSIFIERS)


def test_published_cells_are_complete():
    with (RECIPE / "local" / "published.tsv").open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert [row.pop("layer") for row in rows] == [str(layer) for layer in range(13)]
    assert all(row.keys() == CLASSIFIERS.keys() for row in rows)
    rates = np.array([[float(x) for x in row.values()] for row in rows])
    assert (rates.min(), rates.max()) == (1.25, 24.83)


@pytest.mark.slow
def test_embeddings_end_in_tables_of_errors_sizes_and_costs(
    asvspoof2019, recipe, checkpoint, by_stage
):
    options = ["--corpus", asvspoof2019, "--checkpoint", checkpoint, "--layers", "0,2"]
    options += ["--classifiers", " ".join(CHOSEN), "--seeds", "0 1"]
    rows = rows_of(by_stage(recipe, *options))

    systems = [f"exp/{x}_{y}" for x in ("stats", "layer0", "layer2") for y in CHOSEN]
    both = [x for name in systems for x in (name, f"{name}, refit on train + dev")]
    shared = ["exp/lfcc", "exp/stats", "exp/ssl"]
    layers = [str(layer) for layer in range(13)]
    expected = ["system", "---", *both, "system", "---", *systems, *shared]
    assert [name for name, *_ in rows] == [*expected, "layer", "--:", *layers]

    rates = {cells[0]: cells[1:] for cells in rows[2 : 2 + len(both)]}
    assert rows[0][2:] == ["dev EER %", "eval EER %", "A07", "A08"]
    assert all(cells[0] == ("2" if "tree" in x else "1") for x, cells in rates.items())
    assert all((cells[1] == "") == ("refit" in x) for x, cells in rates.items())

    costs = {cells[0]: cells[1:] for cells in rows[4 + len(both) :]}
    assert costs["exp/stats_logistic"][:2] == ["121", "0.000"]
    assert costs["exp/layer2_logistic"][0] == "17"
    macs = [float(costs[f"exp/layer{n}_logistic"][1]) for n in (0, 2)]
    assert 0 < macs[0] < macs[1]
    assert all(float(x) > 0 for x in costs["exp/layer0_tree"][3:])
    assert float(costs["exp/ssl"][3]) == 0 < float(costs["exp/ssl"][4])

    ours = float(rates["exp/layer2_logistic, refit on train + dev"][2])
    cell = dict(zip(rows[-15], rows[-11], strict=True))["logistic"]
    assert cell == f"{ours:.2f} ({ours - 1.25:+.2f})"


@pytest.mark.slow
def test_frozen_networks_are_encoders_of_another_corpus(other_recipe, tmp_path, recipe):
    """As of spoof762: its data directories, and a network trained there."""
    small = ["--network=xvector", "--channels=8", "--embedding-dim=8", "--num-epochs=1"]
    small += ["--batch-size=8", "--features=lfcc"]
    train_dev = [other_recipe / "train", other_recipe / "dev"]
    command = ["asdkit", "cm-train", *small, *train_dev, tmp_path / "net"]
    subprocess.run(command, check=True)
    tables = [path for path in other_recipe.rglob("*") if path.is_file()]
    before = {path: path.read_bytes() for path in tables}

    options = ["--name", "other", "--source", other_recipe]
    options += ["--networks", f"frozen={tmp_path}/net", "--classifiers", "logistic"]
    command = [recipe / "run.sh", *options]
    done = subprocess.run(command, cwd="/", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    names = {name for name, *_ in rows_of(done.stdout)}

    assert {"exp/other/stats_logistic", "exp/other/frozen_logistic"} <= names
    assert (recipe / "exp/other/report.html").exists()
    tables = [path for path in other_recipe.rglob("*") if path.is_file()]
    assert {path: path.read_bytes() for path in tables} == before
