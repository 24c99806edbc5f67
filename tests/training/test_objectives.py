import numpy as np
import pytest

from asdkit.base.errors import AsdkitError
from asdkit.base.parameters import parameters_of
from asdkit.distillation.teachers import VectorTeacher
from asdkit.losses.objective import Labels
from asdkit.training.objectives import OBJECTIVES, build_objective


@pytest.fixture
def parts(make_model):
    network, labels = make_model()
    teacher = VectorTeacher(["a"], np.zeros((1, 7)))
    return {"loss": labels.loss, "network": network, "teacher": teacher}


def test_the_table_holds_objectives():
    assert OBJECTIVES["labels"] is Labels


@pytest.mark.parametrize("name", OBJECTIVES)
def test_objectives_ask_for_parts_that_there_are(name):
    parameters = parameters_of(OBJECTIVES[name]).values()
    needed = {p.name for p in parameters if p.default is p.empty}
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
