"""Every training objective by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from asdkit.base.errors import AsdkitError
from asdkit.base.references import Reference
from asdkit.base.registry import find
from asdkit.base.signatures import MISSING, parameters_of

if TYPE_CHECKING:
    from asdkit.losses.objective import Objective

# Parameters without a default are passed by name: the loss, the network, the teacher,
# or the speakers.
OBJECTIVES: Mapping[str, Reference] = {
    "labels": Reference("asdkit.losses.objective:Labels"),
    "frame_labels": Reference("asdkit.losses.frame_objective:FrameLabels"),
    "mse": Reference("asdkit.distillation.regression:Mse"),
    "precision": Reference("asdkit.distillation.regression:PosteriorPrecision"),
    "cosine": Reference("asdkit.distillation.regression:Cosine"),
    "speaker_mean": Reference("asdkit.distillation.regression:SpeakerMean"),
    "pooled_mse": Reference("asdkit.distillation.regression:PooledMse"),
    "relational": Reference("asdkit.distillation.objectives:Relational"),
    "kl": Reference("asdkit.distillation.class_posteriors:Kl"),
    "decoupled_kd": Reference("asdkit.distillation.class_posteriors:DecoupledKd"),
    "kl_cosine": Reference("asdkit.distillation.class_posteriors:KlCosine"),
    "ivector_classes": Reference("asdkit.distillation.class_posteriors:IvectorClasses"),
    "self_distillation": Reference(
        "asdkit.distillation.self_distillation:SelfDistillation"
    ),
    "adversarial": Reference("asdkit.distillation.adversarial:Adversarial"),
    "adversarial_distillation": Reference(
        "asdkit.distillation.adversarial:AdversarialDistillation"
    ),
    "speaker_reversal": Reference("asdkit.distillation.adversarial:SpeakerReversal"),
}


def build_objective(name: str, options: Mapping[str, Any], **parts: Any) -> Objective:
    """Construct an objective.

    Args:
        name: which of `OBJECTIVES`.
        options: what differs from the defaults.
        parts: "loss", "network", "teacher" (None without one) and "speakers"
            (utterance -> speaker).

    Raises:
        AsdkitError: it needs a teacher and has none, or the other way round.
    """
    reference = find(OBJECTIVES, name)
    parameters = parameters_of(reference).values()
    needed = {p.name for p in parameters if p.default is MISSING}
    has_teacher = parts.get("teacher") is not None
    if has_teacher and "teacher" not in needed:
        raise AsdkitError(f"--teacher: --objective {name} has none")
    if not has_teacher and "teacher" in needed:
        raise AsdkitError(
            f"--objective {name}: expected a --teacher",
            hint="--teacher scp:exp/ivectors/train/ivector.scp, or a network's folder",
        )
    given = {part: parts[part] for part in needed}
    objective: Objective = reference(**given, **options)
    return objective
