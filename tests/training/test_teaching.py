"""The training loop with a teacher: killed, resumed, and the teacher untouched."""

import os
import signal

import numpy as np
import pytest
import torch

from asdkit.distillation.class_posteriors import DecoupledKd
from asdkit.distillation.regression import Mse
from asdkit.distillation.teachers import NetworkTeacher, VectorTeacher
from asdkit.losses.classification import AamSoftmax
from asdkit.training.loop import Training


@pytest.fixture(params=["vectors", "network"])
def make_student(request, make_model):
    """Give a student and what it minimizes, the same ones every time."""

    def make():
        network, labels = make_model(dropout=0.3, norm=True)
        torch.manual_seed(4)
        if request.param == "vectors":
            utts = [f"utt{step}-{i}" for step in range(15) for i in range(8)]
            x = np.random.default_rng(5).normal(size=(len(utts), 3))
            teacher = VectorTeacher(utts, x)
            return network, Mse(labels.loss, network, teacher, distill_warmup=0.5)
        deep, _ = make_model(norm=True)
        options = {"loss": {"name": "aam_softmax"}, "classes": list("dcba")}
        theirs = AamSoftmax(5, 4, 8.0)
        teacher = NetworkTeacher(deep, theirs, options, list("abcd"))
        return network, DecoupledKd(labels.loss, network, teacher)

    return make


def weights_of(network, objective):
    return {**network.state_dict(), **objective.state_dict()}


def test_killed_and_started_again_it_ends_with_the_same_bits(
    make_student, make_batches, tmp_path, run_in_child
):
    training = Training(num_epochs=3, checkpoint_minutes=0, averaging="ema")
    whole = make_student()
    history = training.fit(*whole, make_batches(), tmp_path / "whole", {"a": 1})

    def die(step, batch):
        return os.kill(os.getpid(), signal.SIGKILL) if step == 7 else batch

    def train_until_killed():
        batches = make_batches(at_step=die)
        training.fit(*make_student(), batches, tmp_path / "killed", {"a": 1})

    assert run_in_child(train_until_killed) == -signal.SIGKILL
    again = make_student()
    found = training.fit(*again, make_batches(), tmp_path / "killed", {"a": 1})
    assert [x["distill"] for x in found] == [x["distill"] for x in history]
    for name, value in weights_of(*whole).items():
        assert torch.equal(weights_of(*again)[name], value), name


def test_checkpoints_hold_nothing_of_a_teacher(make_student, make_batches, tmp_path):
    network, objective = make_student()
    teacher = getattr(objective.teacher, "_network", None)
    before = teacher and {k: x.clone() for k, x in teacher.state_dict().items()}
    Training(num_epochs=1).fit(network, objective, make_batches(), tmp_path, {})
    content = torch.load(tmp_path / "checkpoint.5.pt", weights_only=True)
    names = content["tensors"]["model"]
    assert {name.partition(".")[0] for name in names} == {"network", "objective"}
    assert not [name for name in names if "teacher" in name]
    if teacher:
        for name, value in teacher.state_dict().items():
            assert torch.equal(value, before[name])


def test_a_student_comes_nearer_to_its_teacher(make_student, make_batches, tmp_path):
    network, objective = make_student()
    objective.distill_warmup = 0.0
    training = Training(num_epochs=12, learning_rate=0.05)
    fixed = make_batches()
    first = [batch for _, batch in zip(range(5), fixed.from_step(0), strict=False)]
    fixed.from_step = lambda step: ((n, first[n % 5][1]) for n in range(step, 10_000))
    history = training.fit(network, objective, fixed, tmp_path, {})
    for name in {"mse", "nskd"} & history[0].keys():
        assert history[-1][name] < 0.9 * history[0][name]
