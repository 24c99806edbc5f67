"""Objectives that predict the teacher's vectors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from asdkit.base.errors import AsdkitError
from asdkit.base.ranges import NonNegative
from asdkit.distillation.objectives import Distillation
from asdkit.distillation.speaker_similarity import labeled_vectors
from asdkit.distillation.teachers import Teacher, VectorTeacher
from asdkit.losses import distillation as losses
from asdkit.losses.objective import LabeledBatch
from asdkit.nnet.network import Network
from asdkit.nnet.pooling import Pooling

Projection = Literal["linear", "mlp", "identity"]


class Mse(Distillation):
    """Predict the teacher's vector, element by element.

    Args:
        loss: loss on labels.
        network: the student.
        teacher: teacher whose vectors have meaningful lengths, e.g. sqrt(R).
        projection: map g from the embedding to the teacher's vector: linear, or with
            a layer and batch normalization between (mlp); identity: none, both have
            the same dimension.
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
        self.project = projection_of(projection, self.student_dim(network), teacher.dim)

    def distances(
        self, student: Tensor, taught: Tensor, batch: LabeledBatch
    ) -> dict[str, Tensor]:
        """Compute the error; arguments as in `Distillation.distances`."""
        return {"mse": losses.squared_error(self.project(student), taught)}

    def student_dim(self, network: Network) -> int:
        """C, the dimension of the layer that predicts the vector."""
        return network.embedding_dim


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
        """Compute the weighted error; arguments as in `Distillation.distances`."""
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
        """Compute the distance; arguments as in `Distillation.distances`."""
        return {"cosine": losses.cosine_distance(self.project(student), taught)}


class SpeakerMean(Mse):
    """Predict the mean of the teacher's vectors of the same speaker.

    A vector of one utterance is mostly about that utterance; the mean over all of its
    speaker's is mostly about the speaker.

    Args:
        loss: loss on labels.
        network: the student.
        teacher: vectors, e.g. i-vectors.
        speakers: speaker of every training utterance.
        mse: options of `Mse`.
    """

    def __init__(
        self,
        loss: nn.Module,
        network: Network,
        teacher: Teacher,
        speakers: Mapping[str, str],
        **mse: Any,
    ) -> None:
        super().__init__(loss, network, teacher, **mse)
        x, labels, num = labeled_vectors(teacher, speakers)
        sums = np.zeros((num, x.shape[1]))
        np.add.at(sums, labels, x)
        counts = np.bincount(labels)[:, None]
        self._means = torch.from_numpy((sums / counts).astype(np.float32))

    def distances(
        self, student: Tensor, taught: Tensor, batch: LabeledBatch
    ) -> dict[str, Tensor]:
        """Compute the error; arguments as in `Distillation.distances`."""
        means = self._means.to(student.device)[batch.labels]
        return {"mse": losses.squared_error(self.project(student), means)}


class PooledMse(Mse):
    """Predict the teacher's vector from the pooled layer instead of the embedding.

    The embedding is then free not to carry the session, which the vector contains.

    Args:
        loss: loss on labels.
        network: the student, which pools over time.
        teacher: teacher whose vectors have meaningful lengths, e.g. sqrt(R).
        projection: map g from the pooled layer to the teacher's vector, as in `Mse`.
        mse: options of `Mse`.
    """

    def __init__(
        self,
        loss: nn.Module,
        network: Network,
        teacher: Teacher,
        projection: Projection = "mlp",
        **mse: Any,
    ) -> None:
        super().__init__(loss, network, teacher, projection, **mse)

    def student_dim(self, network: Network) -> int:
        """C, the dimension of the pooled layer."""
        return pooling_of(network).out_channels

    def forward(self, network: nn.Module, batch: LabeledBatch) -> dict[str, Tensor]:
        """Run the network on a batch; compare its pooled layer with the teacher."""
        assert isinstance(network, Network)
        pooled: list[Tensor] = []
        hook = pooling_of(network).register_forward_hook(
            lambda layer, inputs, output: pooled.append(output)
        )
        try:
            embeddings = network(batch.feats, batch.num_frames)
        finally:
            hook.remove()
        return self.compare(embeddings, pooled[-1], batch)


def pooling_of(network: Network) -> Pooling:
    """Return the layer of a network that pools over time.

    Raises:
        AsdkitError: it has none.
    """
    pool = getattr(network, "pool", None)
    if not isinstance(pool, Pooling):
        raise AsdkitError(
            f"{type(network).__name__} has no pooled layer",
            hint="--objective mse predicts the vectors from the embedding",
        )
    return pool


def projection_of(kind: Projection, student_dim: int, teacher_dim: int) -> nn.Module:
    """Return a map from (N, C) of the student to the space of the (N, R) vectors.

    Raises:
        AsdkitError: dimensions differ and nothing maps one to the other.
    """
    if kind == "linear":
        return nn.Linear(student_dim, teacher_dim)
    if kind == "mlp":
        return nn.Sequential(
            nn.Linear(student_dim, student_dim, bias=False),
            nn.BatchNorm1d(student_dim),
            nn.ReLU(),
            nn.Linear(student_dim, teacher_dim),
        )
    if student_dim != teacher_dim:
        raise AsdkitError(
            f"--projection identity: the student's embeddings have {student_dim} "
            f"dimensions, the teacher's {teacher_dim}",
            hint=f"--embedding-dim {teacher_dim}, or --projection linear",
        )
    return nn.Identity()
