"""Teachers to compare a student with: vectors, or a frozen network.

A teacher is not a module, so that its owner neither trains it nor writes it into a
checkpoint.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from asdkit.backends.cosine import Cosine
from asdkit.base.errors import AsdkitError
from asdkit.losses import registry as losses
from asdkit.losses.classification import ClassificationLoss
from asdkit.losses.objective import LabeledBatch
from asdkit.nnet.network import Network


class Scorer(Protocol):
    """The last step of a back-end, e.g. `asdkit.backends.plda.Plda`."""

    def factors(
        self, enroll: np.ndarray, n: np.ndarray, test: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Express scores as one matrix product; arguments as in `Dot.factors`."""


class Teacher:
    """Provide an embedding of every utterance that a student is trained on.

    Args:
        dim: R, the embedding dimension.
    """

    def __init__(self, dim: int) -> None:
        self.dim = dim

    def embed(self, batch: LabeledBatch) -> Tensor:
        """Return (N, R) embeddings of a batch, on its device and without gradient."""
        raise NotImplementedError


class VectorTeacher(Teacher):
    """Vectors of whole utterances, whichever part the student gets.

    Args:
        utts: ids of U utterances.
        x: (U, R) vectors, already mapped to the space of the student's targets.
        posterior_precision: (U, R) diagonals of the posteriors' precisions; None where
            unknown.
        scorer: compares such vectors; None for the cosine.

    Attributes:
        mean_posterior_precision: over all of them.
        scorer: compares them.
    """

    def __init__(
        self,
        utts: Sequence[str],
        x: np.ndarray,
        posterior_precision: np.ndarray | None = None,
        scorer: Scorer | None = None,
    ) -> None:
        super().__init__(x.shape[1])
        self.scorer: Scorer = Cosine() if scorer is None else scorer
        self._row_of = {utt: row for row, utt in enumerate(utts)}
        self._x = torch.from_numpy(x.astype(np.float32))
        self._posterior_precision = None
        if posterior_precision is not None:
            self._posterior_precision = torch.from_numpy(
                posterior_precision.astype(np.float32)
            )
            self.mean_posterior_precision = float(posterior_precision.mean())

    def embed(self, batch: LabeledBatch) -> Tensor:
        """Look up (N, R) vectors."""
        return self._find(self._x, batch)

    def vectors(self, utts: Sequence[str]) -> np.ndarray:
        """Look up (N, R) vectors of N utterances by their ids."""
        rows = [self._row_of[utt] for utt in utts]
        return np.asarray(self._x.numpy()[rows])

    def posterior_precision(self, batch: LabeledBatch) -> Tensor:
        """Look up (N, R) diagonals.

        Raises:
            AsdkitError: there are none.
        """
        return self._find(self.require_posterior_precision(), batch)

    def require_posterior_precision(self) -> Tensor:
        """Return all (U, R) diagonals; raise an AsdkitError if there are none."""
        if self._posterior_precision is None:
            raise AsdkitError(
                "the teacher's vectors have no posterior precisions",
                hint="give --teacher-precision, from ivector-extract --with-precision",
            )
        return self._posterior_precision

    def _find(self, table: Tensor, batch: LabeledBatch) -> Tensor:
        """Choose the rows of a batch."""
        rows = [self._row_of[utt] for utt in batch.utts]
        return table[rows].to(batch.feats.device, non_blocking=True)


class NetworkTeacher(Teacher):
    """A trained network that runs on the very chunks the student gets.

    Args:
        network: frozen here, and put into evaluation mode.
        loss: loss it was trained with; only classification losses give logits.
        options: "loss" and "classes" of its file.
        classes: the student's, in the order of their labels.
        device: where to compute.
    """

    def __init__(
        self,
        network: Network,
        loss: nn.Module,
        options: Mapping[str, Any],
        classes: Sequence[str],
        device: str = "cpu",
    ) -> None:
        super().__init__(network.embedding_dim)
        self._network = network.eval().requires_grad_(False).to(device)
        self._loss = loss.eval().requires_grad_(False).to(device)
        self._options = options
        self._classes = classes
        self._device = device
        self._order: Tensor | None = None
        self._last: tuple[Tensor, Tensor] | None = None

    @torch.no_grad()
    def embed(self, batch: LabeledBatch) -> Tensor:
        """Run the network on (N, T, D) features, those of its own front end if any.

        Who asks again about the last batch gets the same answer without waiting.
        """
        if self._last is None or self._last[0] is not batch.feats:
            if batch.teacher_feats is not None:
                embeddings = self._network(batch.teacher_feats)
            else:
                embeddings = self._network(batch.feats, batch.num_frames)
            self._last = batch.feats, embeddings
        return self._last[1]

    @torch.no_grad()
    def logits(self, embeddings: Tensor, labels: Tensor | None = None) -> Tensor:
        """Classify as the teacher does.

        Args:
            embeddings: (N, R), the teacher's.
            labels: (N,) the student's classes, whose logits get the teacher's margin;
                None for no margin.

        Returns:
            (N, K) logits in the order of the student's classes.
        """
        order = self.match_classes()
        assert isinstance(self._loss, ClassificationLoss)
        theirs = None if labels is None else order[labels]
        return self._loss.logits(embeddings, theirs)[:, order]

    def match_classes(self) -> Tensor:
        """Find the student's classes among the teacher's, by name.

        Classes of the teacher alone, such as speakers that the student's
        training holds out, are left out: its posteriors are then those given that the
        speaker is one of the student's.

        Returns:
            (K,) the teacher's label of every class of the student.

        Raises:
            AsdkitError: the teacher has no logits, or lacks a class.
        """
        if self._order is None:
            if not isinstance(self._loss, ClassificationLoss):
                name = self._options["loss"]["name"]
                raise AsdkitError(f"the teacher was trained with {name}: no logits")
            label_of = {name: n for n, name in enumerate(self._options["classes"])}
            absent = [name for name in self._classes if name not in label_of]
            if absent:
                raise AsdkitError(
                    f"{len(absent)} of {len(self._classes)} classes are not among the "
                    f"{len(label_of)} of the teacher: {', '.join(absent[:3])}",
                    hint="train both on the same speakers at the same speeds",
                )
            order = [label_of[name] for name in self._classes]
            self._order = torch.tensor(order, device=self._device)
        return self._order

    def new_classifier(self, embedding_dim: int) -> ClassificationLoss:
        """Return an untrained classifier of the teacher's kind, for (N, E)."""
        self.match_classes()
        sizes = embedding_dim, len(self._classes)
        classifier = losses.build(
            embedding_dim=sizes[0], num_classes=sizes[1], **self._options["loss"]
        )
        assert isinstance(classifier, ClassificationLoss)
        return classifier
