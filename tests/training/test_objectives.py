import numpy as np
import pytest
import torch

from asdkit.base.errors import AsdkitError
from asdkit.base.signatures import MISSING, parameters_of
from asdkit.distillation.self_distillation import SelfDistillation
from asdkit.distillation.teachers import VectorTeacher
from asdkit.losses.classification import ASoftmax
from asdkit.losses.objective import Labels
from asdkit.nnet.registry import build
from asdkit.training.loop import Training
from asdkit.training.objectives import OBJECTIVES, build_objective


@pytest.fixture
def parts(make_model):
    network, labels = make_model()
    teacher = VectorTeacher(["a"], np.zeros((1, 7)))
    return {"loss": labels.loss, "network": network, "teacher": teacher}


def test_the_table_holds_objectives():
    assert OBJECTIVES["labels"].resolve() is Labels


@pytest.mark.parametrize("name", OBJECTIVES)
def test_objectives_ask_for_parts_that_there_are(name):
    parameters = parameters_of(OBJECTIVES[name]).values()
    needed = {p.name for p in parameters if p.default is MISSING}
    assert needed <= {"loss", "network", "teacher", "speakers"}


def test_an_objective_gets_its_parts_and_options(parts):
    options = {"distill_weight": 3.0, "margin_stop": 0.5}
    objective = build_objective("mse", options, **parts)
    assert objective.teacher is parts["teacher"]
    assert objective.project.weight.shape == (7, 5)
    assert (objective.distill_weight, objective.margin_stop) == (3.0, 0.5)


def test_a_teacher_too_few_and_a_teacher_too_many_are_one_line(parts):
    with pytest.raises(AsdkitError, match="--objective labels has none"):
        build_objective("labels", {}, **parts)
    with pytest.raises(AsdkitError, match="--objective cosine: expected a --teacher"):
        build_objective("cosine", {}, **parts | {"teacher": None})


def test_ranks_agree_on_what_self_distillation_has_learned(
    tmp_path, run_as_ranks, make_batches
):
    """Heads and adapters belong to the objective; their gradients are averaged, too."""

    def train(rank):
        torch.manual_seed(5)
        network = build("senet9", blocks=(1, 1), channels=4, feat_dim=6)
        loss = ASoftmax(network.embedding_dim, 4)
        objective = SelfDistillation(loss, network)
        before = {n: x.clone() for n, x in objective.state_dict().items()}
        batches = make_batches(rank=rank, ranks=2)
        Training(num_epochs=1).fit(network, objective, batches, tmp_path, {})
        learned = objective.state_dict()
        names = [name for name, _ in objective.named_parameters()]
        assert all(not torch.equal(learned[name], before[name]) for name in names)
        torch.save({name: learned[name] for name in names}, tmp_path / f"{rank}.pt")

    assert run_as_ranks(train, 2) == [0, 0]
    first, second = (torch.load(tmp_path / f"{rank}.pt") for rank in (0, 1))
    assert {name.partition(".")[0] for name in first} == {"loss", "heads", "adapters"}
    assert all(torch.equal(second[name], x) for name, x in first.items())
