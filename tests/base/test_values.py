"""Values from Python are held to the types and ranges that options are."""

import math
from typing import Any, Literal

import pytest

from asdkit.base.ranges import (
    Count,
    FilePath,
    NonNegative,
    PositiveOrInfinite,
    Share,
)
from asdkit.base.signatures import MISSING, parameters_of
from asdkit.base.values import check_values
from asdkit.features.registry import FRONT_ENDS
from asdkit.losses.registry import LOSSES
from asdkit.nnet.registry import MODELS
from asdkit.training.objectives import OBJECTIVES


def tunable(
    num_iters: Count = 3,
    share: Share = 0.5,
    floor: NonNegative = 1e-8,
    norm: PositiveOrInfinite = 5.0,
    kind: Literal["a", "b"] = "a",
    center: bool = True,
    blocks: tuple[int, ...] = (3, 4),
    path: FilePath | None = None,
    free: dict[str, Any] | None = None,
) -> None: ...


def test_values_that_may_be_pass():
    check_values(tunable, {"num_iters": 1, "share": 0, "floor": 1e-20, "kind": "b"})
    check_values(tunable, {"norm": math.inf, "center": False, "blocks": (1,)})
    check_values(tunable, {"path": None, "free": {"any": "thing"}})
    check_values(tunable, {"path": "a b", "share": 1.0})


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("num_iters", 0, "num_iters: expected an integer at least 1, got 0"),
        ("num_iters", 1.5, "num_iters: expected an integer, got '1.5'"),
        ("num_iters", True, "num_iters: expected an integer, got 'true'"),
        ("num_iters", None, "num_iters: expected an integer, got 'None'"),
        ("share", 1.5, "share: expected a number at least 0 and at most 1, got 1.5"),
        ("share", math.nan, "share: expected a number at least 0 and at most 1, got"),
        ("floor", math.inf, "floor: expected a finite number at least 0, got inf"),
        ("kind", "c", "kind: expected one of a, b; got 'c'"),
        ("center", 1, "center: expected true or false, got '1'"),
        ("blocks", (1, "x"), "blocks: "),
    ],
)
def test_values_that_cannot_be_are_named(name, value, problem):
    with pytest.raises(ValueError, match=problem):
        check_values(tunable, {name: value})


def test_every_default_lies_in_the_range_that_is_written_beside_it():
    for table in (MODELS, LOSSES, OBJECTIVES, FRONT_ENDS):
        for one in table.values():
            parameters = parameters_of(one).values()
            defaults = {p.name: p.default for p in parameters}
            given = {k: x for k, x in defaults.items() if x is not MISSING}
            check_values(one, given)
