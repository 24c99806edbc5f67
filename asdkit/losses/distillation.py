"""Distillation losses: how far a student's outputs and embeddings are from a teacher's.

No gradient flows into the teacher's arguments unless the caller allows it.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

TINY = 1e-12  # a root has a slope down to here


def kl_divergence(student: Tensor, teacher: Tensor, temperature: float = 1.0) -> Tensor:
    """Compare posteriors of all classes: T^2 KL(teacher || student).

    Args:
        student: (N, K) logits.
        teacher: (N, K) logits of the same classes.
        temperature: T, which divides both; above 1, small posteriors count for more.

    Returns:
        () mean over the batch, in nats, 0 or more.

    Source: G. Hinton et al., "Distilling the knowledge in a neural network", 2015.
    """
    s, t = (F.log_softmax(z / temperature, dim=1) for z in (student, teacher))
    return temperature**2 * _kl(s, t)


def decoupled_kl(
    student: Tensor, teacher: Tensor, labels: Tensor, temperature: float = 1.0
) -> tuple[Tensor, Tensor]:
    """Split the divergence into a target and a non-target part.

    With T = 1, ``kl_divergence = first + (1 - p_y) second`` for every utterance: the
    surer the teacher is of the target, the less it has to say about the others, unless
    the second part gets a weight of its own.  Everything is a difference of
    log-sum-exps, so a posterior of 1 costs nothing but its own digits.

    Args:
        student: (N, K) logits, K > 1.
        teacher: (N, K) logits of the same classes.
        labels: (N,) the target classes.
        temperature: T.

    Returns:
        () T^2 KL of [p_y, 1 - p_y], and () T^2 KL of the posteriors of the other
        classes, which sum to 1 among themselves.

    Source: B. Zhao et al., "Decoupled knowledge distillation", CVPR 2022; D.-T. Truong
    et al., "Emphasized non-target speaker knowledge", ICASSP 2024, where the parts are
    called TSKD and NSKD.
    """
    others = labels[:, None] != torch.arange(student.shape[1], device=labels.device)
    pairs, rests = [], []
    for z in (student / temperature, teacher / temperature):
        rest = z[others].view(len(z), -1)  # (N, K - 1)
        rest_sum = rest.logsumexp(dim=1, keepdim=True)
        pair = torch.cat([z.gather(1, labels[:, None]), rest_sum], dim=1)
        pairs.append(F.log_softmax(pair, dim=1))  # (N, 2) log p_y, log(1 - p_y)
        rests.append(rest - rest_sum)
    return temperature**2 * _kl(*pairs), temperature**2 * _kl(*rests)


def _kl(student: Tensor, teacher: Tensor) -> Tensor:
    """(N, K), (N, K) log posteriors -> () mean of KL(teacher || student)."""
    return (teacher.exp() * (teacher - student)).sum(dim=1).mean()


def cosine_distance(student: Tensor, teacher: Tensor) -> Tensor:
    """(N, R), (N, R) embeddings -> () mean of 1 - cos, in [0, 2]."""
    return (1 - F.cosine_similarity(student, teacher)).mean()


def squared_error(
    student: Tensor,
    teacher: Tensor,
    posterior_precision: Tensor | None = None,
    slack: float = 0.0,
) -> Tensor:
    r"""Squared distance, weighted by the teacher's posterior precision if it has one.

    ``max(0, sqrt(q) - slack)^2`` with ``q = (s - t)' P (s - t) / R``.  Without slack
    that is q.  A draw from the teacher's posterior N(t, P^-1) has a q of 1 on average:
    with a slack of 1, a student who is no farther from the mean than that feels no
    pull, and one who is farther is pulled to there and not beyond.

    Args:
        student: (N, R).
        teacher: (N, R), the mean of the teacher's posterior.
        posterior_precision: (N, R) diagonal of P; None is the unit matrix.
        slack: in standard deviations.

    Returns:
        () mean over the batch.
    """
    errors = (student - teacher).square()
    q = (errors if posterior_precision is None else errors * posterior_precision).mean(
        dim=1
    )
    if slack:
        q = (q.clamp(min=max(slack**2, TINY)).sqrt() - slack).square()
    return q.mean()


def distance_relations(student: Tensor, teacher: Tensor) -> Tensor:
    """Compare distances between the utterances of a batch, in units of their mean.

    Args:
        student: (N, E) embeddings, N > 1.
        teacher: (N, R) embeddings.

    Returns:
        () mean Huber loss over all pairs.

    Source: W. Park et al., "Relational knowledge distillation", CVPR 2019, (5), (6).
    """
    s, t = (torch.pdist(x) for x in (student, teacher))  # (N (N - 1) / 2,)
    return F.smooth_l1_loss(s / s.mean(), t / t.mean())


def angle_relations(student: Tensor, teacher: Tensor) -> Tensor:
    """Compare the angles of all triangles of utterances of a batch.

    Args:
        student: (N, E) embeddings.
        teacher: (N, R) embeddings.

    Returns:
        () mean Huber loss of their cosines, over all triples.

    Source: W. Park et al., "Relational knowledge distillation", CVPR 2019, (7), (8).
    """
    return F.smooth_l1_loss(_cosines(student), _cosines(teacher))


def _cosines(x: Tensor) -> Tensor:
    """(N, E) -> (N, N, N) of the angle at i between j and k; 0 where two are equal."""
    sides = F.normalize(x[None] - x[:, None], dim=2)  # (N, N, E) from i to j
    return sides @ sides.mT
