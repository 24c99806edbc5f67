"""What a network can be trained to do, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from asdkit.base.errors import AsdkitError
from asdkit.base.parameters import parameters_of
from asdkit.distillation.adversarial import (
    Adversarial,
    AdversarialDistillation,
    SpeakerReversal,
)
from asdkit.distillation.objectives import (
    Cosine,
    DecoupledKd,
    Kl,
    KlCosine,
    Mse,
    Precision,
    Relational,
)
from asdkit.distillation.self_distillation import SelfDistillation
from asdkit.losses.frames import FrameLabels
from asdkit.losses.objective import Labels, Objective

# What a constructor takes without a default is given to it by name: the loss, the
# network, the teacher, or the speakers.
OBJECTIVES: dict[str, Callable[..., Objective]] = {
    "labels": Labels,
    "frame_labels": FrameLabels,
    "mse": Mse,
    "precision": Precision,
    "cosine": Cosine,
    "relational": Relational,
    "kl": Kl,
    "decoupled_kd": DecoupledKd,
    "kl_cosine": KlCosine,
    "self_distillation": SelfDistillation,
    "adversarial": Adversarial,
    "adversarial_distillation": AdversarialDistillation,
    "speaker_reversal": SpeakerReversal,
}


def build_objective(name: str, options: Mapping[str, Any], **parts: Any) -> Objective:
    """Construct an objective.

    Args:
        name: which of `OBJECTIVES`.
        options: what differs from the defaults.
        parts: "loss", "network", "teacher", None where there is none, and "speakers",
            utterance -> speaker.

    Raises:
        AsdkitError: there is no teacher and it needs one, or the other way round.
    """
    parameters = parameters_of(OBJECTIVES[name]).values()
    needed = {p.name for p in parameters if p.default is p.empty}
    has_teacher = parts.get("teacher") is not None
    if has_teacher and "teacher" not in needed:
        raise AsdkitError(f"--teacher: --objective {name} has none")
    if not has_teacher and "teacher" in needed:
        raise AsdkitError(
            f"--objective {name}: expected a --teacher",
            hint="--teacher scp:exp/ivectors/train/ivector.scp, or a network's folder",
        )
    return OBJECTIVES[name](**{part: parts[part] for part in needed}, **options)
