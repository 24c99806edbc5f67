"""Objectives that predict the teacher's posteriors of the training speakers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from asdkit.base.errors import AsdkitError
from asdkit.base.ranges import NonNegative, Positive, Share
from asdkit.distillation.objectives import Distillation
from asdkit.distillation.regression import Projection, projection_of
from asdkit.distillation.speaker_similarity import SpeakerSimilarity, labeled_vectors
from asdkit.distillation.teachers import NetworkTeacher, Teacher, VectorTeacher
from asdkit.losses import distillation as losses
from asdkit.losses.classification import ClassificationLoss
from asdkit.losses.objective import LabeledBatch
from asdkit.nnet.network import Network


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
        """Compute the divergence; arguments as in `Distillation.distances`."""
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
        """Compute both divergences; arguments as in `Distillation.distances`."""
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
        """Compute both terms; arguments as in `Distillation.distances`."""
        cosine = losses.cosine_distance(self.project(student), taught)
        divergence = super().distances(student, taught, batch)["kl"]
        return {
            "kl": self.kl_share * divergence,
            "cosine": self.cosine_weight * cosine,
        }


class IvectorClasses(Distillation):
    """Predict what an i-vector system says of the speakers, others emphasized.

    Every training utterance is scored against the mean i-vector of every training
    speaker, its own speaker's without itself, by the last step of the back-end that
    transforms the vectors: the cosine, or PLDA's log-likelihood ratio.  A softmax of
    the scores, scaled so that it predicts the labels best, gives the teacher's
    posteriors.  Student and teacher are compared as in `DecoupledKd`, without margins.

    Args:
        loss: loss on labels, a classifier.
        network: the student.
        teacher: vectors of all training utterances, e.g. i-vectors.
        speakers: speaker of every training utterance.
        gamma: weight of the teacher's posteriors of the non-target classes.
        per_speaker: teach the mean of the posteriors over the utterances of a speaker,
            with less noise, instead of those of every utterance.
        temperature: temperature that divides the logits before they are compared.
        distillation: options of `Distillation`.

    Raises:
        AsdkitError: the loss is no classifier, or the teacher a network.
        FitError: a speaker has fewer than two utterances.
    """

    def __init__(
        self,
        loss: nn.Module,
        network: Network,
        teacher: Teacher,
        speakers: Mapping[str, str],
        gamma: NonNegative = 2.0,
        per_speaker: bool = True,
        temperature: Positive = 1.0,
        **distillation: Any,
    ) -> None:
        super().__init__(loss, network, teacher, **distillation)
        if not isinstance(loss, ClassificationLoss):
            raise AsdkitError(
                "posteriors of speakers are taught to classifiers",
                hint="--loss aam_softmax, or another that classifies",
            )
        x, labels, num_classes = labeled_vectors(teacher, speakers)
        assert isinstance(teacher, VectorTeacher)
        found = SpeakerSimilarity(x, labels, num_classes, teacher.scorer)
        self.scale = found.scale
        self.gamma = gamma
        self.per_speaker = per_speaker
        self.temperature = temperature
        self._row_of = {utt: row for row, utt in enumerate(speakers)}
        self._similarity = None if per_speaker else found
        if per_speaker:
            means = found.mean_log_posteriors().astype(np.float32)
            self._means = torch.from_numpy(means)

    def teacher_logits(self, batch: LabeledBatch) -> Tensor:
        """Return (N, K) log posteriors of the training speakers, for a batch."""
        device = batch.labels.device
        if self._similarity is None:
            return self._means.to(device)[batch.labels]
        rows = np.array([self._row_of[utt] for utt in batch.utts])
        found = self._similarity.log_posteriors(rows).astype(np.float32)
        return torch.from_numpy(found).to(device)

    def distances(
        self, student: Tensor, taught: Tensor, batch: LabeledBatch
    ) -> dict[str, Tensor]:
        """Compute both divergences; arguments as in `Distillation.distances`."""
        assert isinstance(self.loss, ClassificationLoss)
        logits = self.loss.logits(student), self.teacher_logits(batch)
        target, others = losses.decoupled_kl(*logits, batch.labels, self.temperature)
        return {"tskd": target, "nskd": self.gamma * others}
