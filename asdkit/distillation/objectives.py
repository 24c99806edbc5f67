"""Objectives of a student: a loss on labels plus a distance from a teacher.

`Distillation` is the base: it weighs what `distances` gives, raises the weight while
training begins, and logs every term under its own name.  An objective is a class with a
`distances`, and a line in `asdkit.training.objectives`.
"""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor, nn

from asdkit.base.errors import AsdkitError
from asdkit.base.ranges import NonNegative, Positive, Share
from asdkit.distillation.teachers import NetworkTeacher, Teacher, VectorTeacher
from asdkit.losses import distillation as losses
from asdkit.losses.classification import ClassificationLoss
from asdkit.losses.objective import LabeledBatch, Labels
from asdkit.nnet.network import Network

Projection = Literal["linear", "identity"]


class Distillation(Labels):
    """A loss on labels, and weighted terms that a teacher adds.

    Args:
        loss: loss on labels, one of `asdkit.losses`.
        network: the student, whose embedding dimension the terms need.
        teacher: teacher of the same utterances; it is not trained.
        distill_weight: weight of the distillation terms after the warm-up.
        distill_warmup: share of the training over which the distillation weight rises
            linearly from 0.
        labels: options of `Labels`.
    """

    def __init__(
        self,
        loss: nn.Module,
        network: Network,
        teacher: Teacher,
        distill_weight: NonNegative = 1.0,
        distill_warmup: Share = 0.0,
        **labels: Any,
    ) -> None:
        super().__init__(loss, **labels)
        self.teacher = teacher  # no module: neither trained nor in checkpoints
        self.distill_weight = distill_weight
        self.distill_warmup = distill_warmup
        self.weight = distill_weight

    def schedule(self, step: int, num_steps: int) -> dict[str, float]:
        """Set the weight of the teacher's terms, and what the loss needs.

        Source: D.-T. Truong et al., ICASSP 2024, released code: min(epoch / 20, 1).
        """
        values = super().schedule(step, num_steps)
        warmup = self.distill_warmup * num_steps
        share = min(1.0, (step + 1) / warmup) if warmup else 1.0
        self.weight = share * self.distill_weight
        return values | {"distill": self.weight}

    def terms(self, embeddings: Tensor, batch: LabeledBatch) -> dict[str, Tensor]:
        """(N, E) embeddings and their batch -> the loss, and the weighted distances."""
        terms = super().terms(embeddings, batch)
        taught = self.teacher.embed(batch)
        with torch.autocast(embeddings.device.type, enabled=False):
            distances = self.distances(embeddings.float(), taught.float(), batch)
        return terms | {name: self.weight * x for name, x in distances.items()}

    def distances(
        self, student: Tensor, taught: Tensor, batch: LabeledBatch
    ) -> dict[str, Tensor]:
        """Compare the student with its teacher, in float32.

        Args:
            student: (N, E) embeddings.
            taught: (N, R) the teacher's embeddings.
            batch: the batch they belong to.

        Returns:
            name -> () terms to minimize.
        """
        raise NotImplementedError


class Mse(Distillation):
    """Predict the teacher's vector, element by element.

    Args:
        loss: loss on labels.
        network: the student.
        teacher: teacher whose vectors have meaningful lengths, e.g. sqrt(R).
        projection: map g from the embedding to the teacher's vector; identity: none,
            both have the same dimension.
        distillation: options of `Distillation`.

    Source: Y. Rong et al., J. Chongqing University 46(1), 2023: the sum of a metric
    loss and ``lambda / (N R) sum |g(e) - v|^2``, v the i-vector.
    """

    def __init__(
        self,
        loss: nn.Module,
        network: Network,
        teacher: Teacher,
        projection: Projection = "linear",
        **distillation: Any,
    ) -> None:
        super().__init__(loss, network, teacher, **distillation)
        self.project = projection_of(projection, network.embedding_dim, teacher.dim)

    def distances(
        self, student: Tensor, taught: Tensor, batch: LabeledBatch
    ) -> dict[str, Tensor]:
        """Compute the mean squared error."""
        return {"mse": losses.squared_error(self.project(student), taught)}


class PosteriorPrecision(Mse):
    """Predict the i-vector, weighting errors by the extractor's confidence.

    An extractor gives a posterior N(v, P^-1) of every utterance.  The term is
    ``max(0, sqrt(q) - slack)^2 / p`` with ``q = (g(e) - v)' P (g(e) - v) / R``, P
    diagonal and p its mean over all training utterances, which is there so that the
    weight means what it means to `Mse`.

    Args:
        loss: loss on labels.
        network: the student.
        teacher: vectors with posterior precisions.
        slack: distance from the teacher's vector that costs nothing, in standard
            deviations of its posterior; 0: none, the weighted error.
        mse: options of `Mse`.
    """

    def __init__(
        self,
        loss: nn.Module,
        network: Network,
        teacher: Teacher,
        slack: NonNegative = 0.0,
        **mse: Any,
    ) -> None:
        super().__init__(loss, network, teacher, **mse)
        if not isinstance(teacher, VectorTeacher):
            raise AsdkitError(
                "a network teacher has no posterior precisions: give vectors"
            )
        teacher.require_posterior_precision()
        self.slack = slack

    def distances(
        self, student: Tensor, taught: Tensor, batch: LabeledBatch
    ) -> dict[str, Tensor]:
        """Compute the weighted error."""
        assert isinstance(self.teacher, VectorTeacher)
        precision = self.teacher.posterior_precision(batch)
        predicted = self.project(student)
        error = losses.squared_error(predicted, taught, precision, self.slack)
        return {"precision": error / self.teacher.mean_posterior_precision}


class Cosine(Mse):
    """Predict the direction of the teacher's vector: 1 - cos(g(e), v).

    Source: S. Wang et al., "Knowledge distillation for small foot-print deep speaker
    embedding", ICASSP 2019.
    """

    def distances(
        self, student: Tensor, taught: Tensor, batch: LabeledBatch
    ) -> dict[str, Tensor]:
        """Compute the cosine distance."""
        return {"cosine": losses.cosine_distance(self.project(student), taught)}


class Relational(Distillation):
    """Keep the distances and angles among the utterances of a batch.

    Dimensions may differ; there is nothing to project.

    Args:
        loss: loss on labels.
        network: the student.
        teacher: teacher of the same utterances.
        distance_weight: weight of the distances between utterances.
        angle_weight: weight of the angles between utterances; twice that of the
            distances in the paper.
        distillation: options of `Distillation`.

    Source: W. Park et al., "Relational knowledge distillation", CVPR 2019.
    """

    def __init__(
        self,
        loss: nn.Module,
        network: Network,
        teacher: Teacher,
        distance_weight: NonNegative = 1.0,
        angle_weight: NonNegative = 2.0,
        **distillation: Any,
    ) -> None:
        super().__init__(loss, network, teacher, **distillation)
        self.distance_weight = distance_weight
        self.angle_weight = angle_weight

    def distances(
        self, student: Tensor, taught: Tensor, batch: LabeledBatch
    ) -> dict[str, Tensor]:
        """Compare the relations."""
        return {
            "distances": self.distance_weight
            * losses.distance_relations(student, taught),
            "angles": self.angle_weight * losses.angle_relations(student, taught),
        }


class Kl(Distillation):
    """Predict the teacher's posteriors over all training speakers.

    A metric loss has no classifier; the student then gets one of the teacher's kind,
    which only this term trains.

    Args:
        loss: loss on labels.
        network: the student.
        teacher: network with the student's classes.
        temperature: temperature that divides the logits before they are compared.
        margin_in_logits: compare the logits with the target class's training margins.
        distill_warmup: share of the training over which the distillation weight rises
            linearly from 0.
        distillation: options of `Distillation`.

    Source: D.-T. Truong et al., ICASSP 2024, the baseline and its warm-up:
    epoch 20 of 150.
    """

    def __init__(
        self,
        loss: nn.Module,
        network: Network,
        teacher: Teacher,
        temperature: Positive = 1.0,
        margin_in_logits: bool = True,
        distill_warmup: Share = 0.13,
        **distillation: Any,
    ) -> None:
        distillation["distill_warmup"] = distill_warmup
        super().__init__(loss, network, teacher, **distillation)
        if not isinstance(teacher, NetworkTeacher):
            raise AsdkitError("vectors have no logits: give a network as --teacher")
        teacher.match_classes()
        self.temperature = temperature
        self.margin_in_logits = margin_in_logits
        self.own: ClassificationLoss | None = None
        if not isinstance(loss, ClassificationLoss):
            self.own = teacher.new_classifier(network.embedding_dim)

    def logits(
        self, student: Tensor, taught: Tensor, batch: LabeledBatch
    ) -> tuple[Tensor, Tensor]:
        """(N, E) and (N, R) embeddings -> (N, K) logits of student and teacher."""
        assert isinstance(self.teacher, NetworkTeacher)
        classifier = self.loss if self.own is None else self.own
        assert isinstance(classifier, ClassificationLoss)
        labels = batch.labels if self.margin_in_logits else None
        return classifier.logits(student, labels), self.teacher.logits(taught, labels)

    def distances(
        self, student: Tensor, taught: Tensor, batch: LabeledBatch
    ) -> dict[str, Tensor]:
        """Compute the divergence."""
        logits = self.logits(student, taught, batch)
        return {"kl": losses.kl_divergence(*logits, self.temperature)}


class DecoupledKd(Kl):
    """Predict the teacher's posteriors, with a separate weight for non-targets.

    Args:
        loss: loss on labels.
        network: the student.
        teacher: network with the student's classes.
        gamma: weight of the teacher's posteriors of the non-target classes.
        kl: options of `Kl`.

    Source: D.-T. Truong et al., "Emphasized non-target speaker knowledge in knowledge
    distillation for automatic speaker verification", ICASSP 2024.
    """

    def __init__(
        self,
        loss: nn.Module,
        network: Network,
        teacher: Teacher,
        gamma: NonNegative = 2.0,
        **kl: Any,
    ) -> None:
        super().__init__(loss, network, teacher, **kl)
        self.gamma = gamma

    def distances(
        self, student: Tensor, taught: Tensor, batch: LabeledBatch
    ) -> dict[str, Tensor]:
        """Compute both divergences."""
        logits = self.logits(student, taught, batch)
        target, others = losses.decoupled_kl(*logits, batch.labels, self.temperature)
        return {"tskd": target, "nskd": self.gamma * others}


class KlCosine(Kl):
    """Share the labels' weight with the teacher's posteriors; match directions, too.

    ``(1 - kl_share) loss + kl_share T^2 KL + cosine_weight (1 - cos(g(e), t))``.

    Args:
        loss: loss on labels.
        network: the student.
        teacher: network with the student's classes.
        kl_share: weight of the teacher's posteriors; the loss on labels gets the rest.
        cosine_weight: weight of the cosine distance to the teacher's embedding.
        projection: map g from the embedding to the teacher's vector; identity: none,
            both have the same dimension.
        temperature: temperature that divides the logits before they are compared.
        kl: options of `Kl`.

    Source: Y.-L. Liao et al., "Adversarial speaker distillation for countermeasure
    model on ASV", SPSC 2022; the paper's own weights are not known.
    """

    def __init__(
        self,
        loss: nn.Module,
        network: Network,
        teacher: Teacher,
        kl_share: Share = 0.5,
        cosine_weight: NonNegative = 1.0,
        projection: Projection = "linear",
        temperature: Positive = 4.0,
        **kl: Any,
    ) -> None:
        super().__init__(loss, network, teacher, temperature=temperature, **kl)
        self.kl_share = kl_share
        self.cosine_weight = cosine_weight
        self.project = projection_of(projection, network.embedding_dim, teacher.dim)

    def terms(self, embeddings: Tensor, batch: LabeledBatch) -> dict[str, Tensor]:
        """(N, E) embeddings and their batch -> all three terms."""
        terms = super().terms(embeddings, batch)
        return terms | {"loss": (1 - self.kl_share) * terms["loss"]}

    def distances(
        self, student: Tensor, taught: Tensor, batch: LabeledBatch
    ) -> dict[str, Tensor]:
        """Compute the divergence and the cosine distance."""
        cosine = losses.cosine_distance(self.project(student), taught)
        divergence = super().distances(student, taught, batch)["kl"]
        return {
            "kl": self.kl_share * divergence,
            "cosine": self.cosine_weight * cosine,
        }


def projection_of(kind: Projection, student_dim: int, teacher_dim: int) -> nn.Module:
    """Return a map from (N, E) embeddings to the space of the (N, R) vectors.

    Raises:
        AsdkitError: dimensions differ and nothing maps one to the other.
    """
    if kind == "linear":
        return nn.Linear(student_dim, teacher_dim)
    if student_dim != teacher_dim:
        raise AsdkitError(
            f"--projection identity: the student's embeddings have {student_dim} "
            f"dimensions, the teacher's {teacher_dim}",
            hint=f"--embedding-dim {teacher_dim}, or --projection linear",
        )
    return nn.Identity()
