"""A training as one object: what it says, what it refuses, and what it makes."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import asdkit
from asdkit.__main__ import main
from asdkit.base.errors import AsdkitError, DataError
from asdkit.base.registry import Chosen
from asdkit.data.manifests import Utterance, write_utterances
from asdkit.distillation.stored_teachers import TeacherReader
from asdkit.io.ark import ArkWriter
from asdkit.io.tables import read_table, write_table
from asdkit.models.networks import load_network
from asdkit.training.loop import Training
from asdkit.training.plan import TrainingPlan
from asdkit.training.spoofing import SpoofTrainingSetReader
from asdkit.training.training_set import TrainingSetReader

SMALL = {"channels": 4, "embedding_dim": 8}
OPTIONS = "--network resnet18 --channels 4 --embedding-dim 8 --chunk-frames 30 "
OPTIONS += "--batch-size 8 --num-epochs 2 --learning-rate 0.02 --device cpu"


def new_plan(**changed):
    """A plan that is trained in a moment."""
    parts = {
        "network": Chosen("resnet18", SMALL),
        "loss": Chosen("aam_softmax"),
        "data": TrainingSetReader(chunk_frames=30, batch_size=8),
        "loop": Training(num_epochs=2, learning_rate=0.02),
    }
    return TrainingPlan(**{**parts, **changed})


def new_spoof_plan(**changed):
    data = SpoofTrainingSetReader(chunk_frames=30, batch_size=8)
    return new_plan(**{"loss": Chosen("cross_entropy"), "data": data, **changed})


@pytest.fixture
def corpus(tmp_path, rng, monkeypatch):
    """Four speakers with four utterances each, two of them attacks."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    utts = []
    with ArkWriter("exp/feats", "feats") as writer:
        for spk in range(4):
            mean = rng.normal(size=10)
            custom = {"attack": "A01" if spk < 2 else "bonafide"}
            for n in range(4):
                utt = f"s{spk}-{n}"
                signs = np.sign(rng.normal(size=(40, 1)))
                writer[utt] = (mean * signs).astype(np.float32)
                where = f"{utt}.wav", False, 0.0, 0.4, 0, 16000
                utts.append(Utterance(utt, f"s{spk}", *where, custom=custom))
    write_utterances("data", utts)
    write_table("data/feats.scp", read_table(writer.scp))
    write_table("data/utt2num_frames", {item.utt: 40 for item in utts})
    yield "data"
    torch.set_num_threads(threads)


def assert_same_network(ours, theirs):
    """Compare two network.pt: weights to the bit, and options but measured times."""
    ours, theirs = load_network(ours), load_network(theirs)
    for part in ("network", "loss"):
        one, two = (getattr(x, part).state_dict() for x in (ours, theirs))
        assert one.keys() == two.keys()
        assert all(torch.equal(one[name], two[name]) for name in one)
    for entry in ours.options["history"] + theirs.options["history"]:
        del entry["utts/s"], entry["waiting %"]
    assert ours.options == theirs.options


def test_the_front_door_is_imported_when_it_is_used_only():
    code = """
import sys
import asdkit
assert "TrainingPlan" in dir(asdkit)
assert not {"torch", "lhotse", "numpy"} & sys.modules.keys()
assert asdkit.TrainingPlan.__module__ == "asdkit.training.plan"
try:
    asdkit.TrainingPlans
except AttributeError as error:
    assert "no attribute 'TrainingPlans'" in str(error)
else:
    raise AssertionError
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert asdkit.TrainingPlan is TrainingPlan


@pytest.mark.parametrize(
    "plan",
    [
        new_plan(),
        new_plan(
            objective=Chosen("kl_cosine", {"temperature": 2.0}),
            features=Chosen("fbank", {"num_mel_bins": 40}),
            teacher=TeacherReader(teacher="exp/teacher"),
            loop=Training(max_grad_norm=float("inf")),
            seed=3,
        ),
        new_plan(network=Chosen("senet18", {"blocks": [1, 1, 1, 1]})),
        new_plan(network=Chosen("ssl_ecapa"), ssl_checkpoint="exp/wavlm"),
        new_spoof_plan(class_weights=(0.1, 0.9), init_from="exp/network.pt"),
        new_spoof_plan(class_weights="balanced"),
    ],
    ids=lambda plan: f"{plan.network.name}-{plan.classes}",
)
def test_what_is_written_reads_as_an_equal_plan(plan, tmp_path):
    path = plan.save(tmp_path)
    assert TrainingPlan.read(path) == plan
    again = TrainingPlan.read(tmp_path)
    assert again == plan
    assert type(again.data) is type(plan.data)
    assert again.save(tmp_path).read_text() == path.read_text()


def test_a_plan_holds_the_defaults_so_that_it_outlives_them():
    plan = new_plan(network=Chosen("resnet34"))
    assert plan.network.options["channels"] == 32
    assert plan == new_plan(network=Chosen("resnet34", {"channels": 32}))
    assert plan != new_plan(network=Chosen("resnet34", {"channels": 16}))
    told = {"feat_dim", "class_weights", "annealing"}  # by data, plan and loop
    assert not told & {*plan.network.options, *plan.loss.options}


def test_the_seed_is_that_of_all_parts():
    plan = new_plan(seed=7)
    assert plan.data.seed == plan.loop.seed == 7
    assert new_plan(loop=Training(seed=7), seed=7).seed == 7
    for part in ({"loop": Training(seed=7)}, {"data": TrainingSetReader(seed=7)}):
        with pytest.raises(ValueError, match="has the seed 7, the plan 0: set it once"):
            new_plan(**part)


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"network": Chosen("resnet35")}, "expected one of resnet18, .* 'resnet35'"),
        ({"network": Chosen("resnet18", {"width": 4})}, "no option 'width'; it has "),
        ({"network": Chosen("resnet18", {"feat_dim": 4})}, "no option 'feat_dim'"),
        ({"loss": Chosen("softmax")}, "expected one of cross_entropy, .* 'softmax'"),
        ({"objective": Chosen("labels", {"slack": 1})}, "labels has no option 'slack'"),
        ({"network": Chosen("resnet18", {"channels": 0})}, "channels: expected an int"),
        ({"loop": Training(num_epochs=0)}, "num_epochs: expected an integer at least"),
        (
            {"data": TrainingSetReader(augment_prob=2)},
            "augment_prob: expected a number",
        ),
        ({"features": Chosen("plp")}, "expected one of stored, mfcc, .* 'plp'"),
    ],
)
def test_a_name_or_option_that_does_not_exist_is_an_error_at_once(changed, problem):
    with pytest.raises(ValueError, match=problem):
        new_plan(**changed)


@pytest.mark.parametrize(
    ("make", "changed", "problem"),
    [
        (new_plan, {"loss": Chosen("ge2e")}, "--loss ge2e compares utterances of a"),
        (new_plan, {"network": Chosen("ssl_ecapa")}, "networks ssl_... have one"),
        (new_plan, {"ssl_checkpoint": "exp/x"}, "networks ssl_... have one"),
        (new_spoof_plan, {"loss": Chosen("ge2e")}, "no classifier of spoofed"),
        (
            new_plan,
            {
                "loss": Chosen("ge2e"),
                "data": TrainingSetReader(utts_per_speaker=2),
                "class_weights": "balanced",
            },
            "--class-weights: --loss ge2e has no classes",
        ),
    ],
)
def test_parts_that_contradict_each_other_are_one_line(make, changed, problem):
    with pytest.raises(AsdkitError, match=problem):
        make(**changed)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (None, "no such file"),
        (lambda text: text[:50], "expected the plan of a training"),
        (lambda text: "[]", "expected the plan of a training"),
        (lambda text: text.replace("resnet18", "resnet35"), "'resnet35'"),
        (lambda text: text.replace('"speakers"', '"languages"'), "'languages'"),
        (lambda text: text.replace('"margin"', '"margins"'), "no option 'margins'"),
        (lambda text: text.replace('"warmup"', '"warmups"'), "'warmups'"),
        (lambda text: text.replace(": 30,", ': "x",'), "chunk_frames: expected an int"),
        (lambda text: text.replace('"loop"', '"loops"'), "'loop'"),
    ],
)
def test_a_damaged_plan_is_named_with_its_file(change, problem, tmp_path):
    if change is not None:
        path = new_plan().save(tmp_path)
        path.write_text(change(path.read_text()))
    with pytest.raises(DataError, match=problem) as caught:
        TrainingPlan.read(tmp_path)
    assert str(tmp_path / "plan.json") in str(caught.value)


def test_the_program_and_the_plan_make_the_same_network(corpus):
    options = [*OPTIONS.split(), "--num-valid-spks", "2", "--seed", "3"]
    assert main(["nnet-train", *options, corpus, "exp/program"]) == 0
    data = TrainingSetReader(chunk_frames=30, batch_size=8, num_valid_spks=2)
    plan = new_plan(data=data, seed=3)
    assert plan.run(corpus, "exp/plan", device="cpu") == Path("exp/plan/network.pt")
    assert_same_network("exp/program/network.pt", "exp/plan/network.pt")
    assert TrainingPlan.read("exp/program") == plan
    assert TrainingPlan.read("exp/plan") == plan


def test_so_they_do_of_a_countermeasure(corpus):
    options = [*OPTIONS.split(), "--class-weights", "balanced", "--averaging", "best"]
    assert main(["cm-train", *options, corpus, corpus, "exp/program"]) == 0
    loop = Training(num_epochs=2, learning_rate=0.02, averaging="best")
    plan = new_spoof_plan(loop=loop, class_weights="balanced")
    plan.run(corpus, "exp/plan", corpus, device="cpu")
    assert_same_network("exp/program/network.pt", "exp/plan/network.pt")
    assert TrainingPlan.read("exp/program") == plan
    assert "EER %" in load_network("exp/plan/network.pt").options["history"][0]


def test_what_was_begun_by_the_program_is_continued_by_its_plan(corpus):
    """After the first of two epochs."""
    train = ["nnet-train", *OPTIONS.split(), corpus]
    assert main([*train, "exp/whole"]) == 0
    assert main([*train, "exp/killed"]) == 0
    Path("exp/killed/network.pt").unlink()
    Path("exp/killed/checkpoint.4.pt").unlink()
    TrainingPlan.read("exp/killed").run(corpus, "exp/killed", device="cpu")
    assert_same_network("exp/whole/network.pt", "exp/killed/network.pt")


def test_a_refused_plan_leaves_the_one_that_was_begun(corpus):
    plan = new_plan()
    plan.run(corpus, "exp/net", device="cpu")
    other = new_plan(loss=Chosen("aam_softmax", {"margin": 0.3}))
    with pytest.raises(AsdkitError, match=r"loss.margin = 0.2, now 0.3"):
        other.run(corpus, "exp/net", device="cpu")
    assert TrainingPlan.read("exp/net") == plan
    best = new_plan(loop=Training(num_epochs=2, averaging="best"))
    with pytest.raises(AsdkitError, match="there is no dev error to choose"):
        best.run(corpus, "exp/best", device="cpu")
    assert not Path("exp/best").exists()


def test_what_does_not_change_the_result_may_change_when_it_is_resumed(corpus):
    new_plan().run(corpus, "exp/net", device="cpu")
    loop = dataclasses.replace(new_plan().loop, checkpoint_minutes=1.0)
    again = new_plan(loop=loop)
    again.run(corpus, "exp/net", device="cpu")
    assert TrainingPlan.read("exp/net") == again


def test_one_run_at_a_time_writes_into_a_directory(corpus, monkeypatch):
    """A second run, from a notebook, would write over the checkpoints of the first."""
    code = (
        "from asdkit.base.outputs import OutputDir, hold\n"
        "with hold(OutputDir('exp/net')):\n"
        "    print('held', flush=True)\n"
        "    input()"
    )
    command = [sys.executable, "-c", code]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as holder:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(DataError, match="exp/net: another run is writing there"):
            new_plan().run(corpus, "exp/net", device="cpu")
        holder.communicate("\n", timeout=20)
    new_plan().run(corpus, "exp/net", device="cpu")
    assert Path("exp/net/network.pt").exists()
    assert not list(Path("exp/net").glob(".*lock"))


def test_speakers_have_no_development_set(corpus):
    with pytest.raises(AsdkitError, match="speakers have no development set") as caught:
        new_plan().run(corpus, "exp/net", corpus, device="cpu")
    assert caught.value.hint == "--num-valid-spks"
    assert not Path("exp/net").exists()


def test_a_countermeasure_without_a_development_set_has_no_dev_error(corpus):
    new_spoof_plan().run(corpus, "exp/cm", device="cpu")
    assert "EER %" not in load_network("exp/cm/network.pt").options["history"][0]


def test_what_is_prepared_is_what_is_trained(corpus):
    """The recipe that compares gradients computes with what `prepare` gives."""
    plan = new_plan(objective=Chosen("speaker_reversal"))
    prepared = plan.prepare(corpus)
    assert prepared.trained.options["network"]["feat_dim"] == 10
    assert prepared.dev_error is None
    _, batch = next(iter(prepared.training_set.batches.from_step(0)))
    terms = prepared.objective(prepared.trained.network, batch)
    assert {"loss", "speaker"} <= terms.keys()
    assert not Path("exp/net").exists()


def test_the_recipe_that_compares_gradients_takes_the_plan_of_its_student(corpus):
    """Features, objective and speakers are as they were; no option is typed twice."""
    root = Path(asdkit.__file__).parents[1]
    script = root / "egs/speechocean762/v3/local/compare_gradients.py"
    command = [sys.executable, script, corpus, "exp/student"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert "exp/student/plan.json: no such file" in done.stderr
    plan = new_plan(objective=Chosen("speaker_reversal"))
    plan.run(corpus, "exp/student", device="cpu")
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    said = dict(part.split() for part in done.stdout.split(","))
    assert said.keys() == {"loss", "speaker"}
    assert all(float(length) > 0 for length in said.values())


def test_plan_json_is_readable(tmp_path):
    said = json.loads(new_plan().save(tmp_path).read_text())
    assert said["classes"] == "speakers"
    assert said["network"]["name"] == "resnet18"
    assert said["network"]["channels"] == 4
    assert said["loop"]["num_epochs"] == 2
