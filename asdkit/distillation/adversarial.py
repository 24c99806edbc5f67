"""Adversarial examples, and training on them.

An adversary changes every feature by at most epsilon, in the direction that raises the
loss.  Of a network on samples it changes samples, which stay in [-1, 1].  Features are
changed in units of their own standard deviation over the utterance, because that is
what networks which normalize them see, and log-mels have no unit.

Source: Y.-L. Liao et al., "Adversarial speaker distillation for countermeasure model on
ASV", SPSC 2022, whose exact recipe is unknown; I. Goodfellow et al., "Explaining and
harnessing adversarial examples", ICLR 2015 (FGSM); A. Madry et al., "Towards deep
learning models resistant to adversarial attacks", ICLR 2018 (PGD); Y. Ganin et al.,
"Domain-adversarial training of neural networks", JMLR 2016 (gradient reversal).
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from asdkit.base.errors import AsdkitError
from asdkit.base.numbers import parse_number
from asdkit.base.ranges import Count, NonNegative, Positive, Share
from asdkit.distillation.class_posteriors import KlCosine
from asdkit.losses.objective import LabeledBatch, Labels
from asdkit.nnet.extraction import PaddedBatch
from asdkit.nnet.network import Network
from asdkit.nnet.padding import mean_over_time, zero_padding

AdversaryKind = Literal["fgsm", "pgd"]
SAMPLES_EPSILON = 0.002
FEATURES_EPSILON = 0.05  # standard deviations


class KnownBatch(PaddedBatch, Protocol):
    """Utterances whose classes are known to an adversary."""

    @property
    def labels(self) -> Tensor:
        """(N,) classes."""


@dataclass(frozen=True)
class Adversary:
    """Perturb features so that a loss rises.

    Args:
        kind: "fgsm": one step of epsilon; "pgd": several smaller ones from a random
            start within epsilon.
        epsilon: largest perturbation; None: 0.002 for samples, 0.05 standard deviations
            for other features.
        num_steps: number of PGD steps.
        step_share: length of a PGD step as a share of epsilon.
    """

    kind: AdversaryKind = "fgsm"
    epsilon: Positive | None = None
    num_steps: Count = 10
    step_share: Positive = 0.25

    def __call__(
        self,
        network: Network,
        loss: nn.Module,
        batch: KnownBatch,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Return perturbed features; the gradients of parameters are left alone.

        The network is attacked as it is used, in evaluation mode, and left in the mode
        it was in.

        Args:
            network: maps features to embeddings.
            loss: loss to raise, of embeddings and labels.
            batch: on the device of the network.
            generator: of the CPU, draws where "pgd" starts; None is torch's own.

        Returns:
            (N, T, D) without gradient.
        """
        feats, num_frames = batch.feats.detach(), batch.num_frames
        bound = self.bound(network, feats, num_frames)
        low, high = feats - bound, feats + bound
        if network.feat_dim == 1:
            low, high = low.clamp(min=-1), high.clamp(max=1)
        x, step, num_steps = feats, bound, 1
        if self.kind == "pgd":
            start = torch.empty(feats.shape).uniform_(-1, 1, generator=generator)
            x = feats + bound * start.to(feats)
            step, num_steps = self.step_share * bound, self.num_steps
        with evaluating(network):
            for _ in range(num_steps):
                x = within(x, low, high).requires_grad_()
                value = loss(network(x, num_frames), batch.labels)
                (slope,) = torch.autograd.grad(value, x)
                x = x.detach() + step * slope.sign()
        return within(x, low, high)

    def bound(self, network: Network, feats: Tensor, num_frames: Tensor) -> Tensor:
        """Return the bound of a perturbation, () or, in feature units, (N, 1, D)."""
        if network.feat_dim == 1:
            return feats.new_tensor(self.epsilon or SAMPLES_EPSILON)
        num_frames = num_frames.to(feats.device)
        x = zero_padding(feats.transpose(1, 2), num_frames)  # (N, D, T)
        centered = x - mean_over_time(x, num_frames)[..., None]
        variance = mean_over_time(centered.square(), num_frames)
        return (self.epsilon or FEATURES_EPSILON) * variance.sqrt()[:, None]


class Adversarial(Labels):
    """Share every weight between the clean batch and an adversary's version of it.

    ``(1 - adversarial_share) loss(x) + adversarial_share loss(x_adv)``.

    Args:
        loss: loss on labels, which the adversary raises.
        adversary: adversarial attack: one gradient step (fgsm), or several from a
            random start (pgd).
        epsilon: largest adversarial perturbation, of samples, or in standard deviations
            of other features; None: 0.002 and 0.05, respectively.
        adversary_steps: number of PGD steps.
        adversarial_share: weight of the adversarial loss; the clean loss gets the rest.
        separate_norm: batch-normalize clean and adversarial utterances separately, not
            as one batch.
        labels: options of `Labels`, or of the base objective.
    """

    def __init__(
        self,
        loss: nn.Module,
        adversary: AdversaryKind = "fgsm",
        epsilon: Positive | None = None,
        adversary_steps: Count = 10,
        adversarial_share: Share = 0.5,
        separate_norm: bool = False,
        **labels: Any,
    ) -> None:
        super().__init__(loss, **labels)
        self.adversary = Adversary(adversary, epsilon, adversary_steps)
        self.adversarial_share = adversarial_share
        self.separate_norm = separate_norm

    def forward(self, network: nn.Module, batch: LabeledBatch) -> dict[str, Tensor]:
        """Compute the terms on a batch and on the adversary's version of it."""
        assert isinstance(network, Network)
        feats, num_frames = batch.feats, batch.num_frames
        changed = self.adversary(network, self.loss, batch)
        if self.separate_norm:
            clean, adversarial = (
                network(feats, num_frames),
                network(changed, num_frames),
            )
        else:
            both = torch.cat([feats, changed])
            embeddings = network(both, torch.cat([num_frames, num_frames]))
            clean, adversarial = embeddings.chunk(2)
        share = self.adversarial_share
        heard, misheard = self.terms(clean, batch), self.terms(adversarial, batch)
        weighted = {name: (1 - share) * term for name, term in heard.items()}
        return weighted | {
            f"adversarial_{name}": share * term for name, term in misheard.items()
        }


class AdversarialDistillation(Adversarial, KlCosine):
    """Learn from labels and a teacher to withstand an adversary.

    The teacher gets the original, not the adversary's version, and what it says of
    that is right for both.

    Source: Y.-L. Liao et al., as above; M. Goldblum et al., "Adversarially robust
    distillation", AAAI 2020, for the teacher without an adversary.
    """


class SpeakerReversal(Labels):
    """Train embeddings from which a classifier cannot tell the speaker.

    The classifier learns to; the gradient that it sends to the network is reversed,
    more and more so while training goes on.

    Args:
        loss: loss on labels.
        network: the network, whose embedding dimension the classifier needs.
        speakers: utterance -> speaker.
        reversal_weight: final weight of the speaker classifier's reversed gradient.
        hidden_dim: hidden units of the speaker classifier.
        labels: options of `Labels`.
    """

    def __init__(
        self,
        loss: nn.Module,
        network: Network,
        speakers: Mapping[str, str],
        reversal_weight: NonNegative = 1.0,
        hidden_dim: Count = 128,
        **labels: Any,
    ) -> None:
        super().__init__(loss, **labels)
        number = {spk: n for n, spk in enumerate(sorted(set(speakers.values())))}
        self.number_of = {utt: number[spk] for utt, spk in speakers.items()}
        self.classifier = nn.Sequential(
            nn.Linear(network.embedding_dim, hidden_dim),
            nn.ReLU(inplace=True),
            nn.Linear(hidden_dim, len(number)),
        )
        self.reversal_weight = reversal_weight
        self.weight = reversal_weight

    def schedule(self, step: int, num_steps: int) -> dict[str, float]:
        """Raise the weight as ``2 / (1 + exp(-10 p)) - 1``, p the share of steps done.

        Source: Y. Ganin et al., JMLR 2016, section 5.2.2.
        """
        rise = 2 / (1 + math.exp(-10 * step / num_steps)) - 1
        self.weight = self.reversal_weight * rise
        return super().schedule(step, num_steps) | {"reversal": self.weight}

    def terms(self, embeddings: Tensor, batch: LabeledBatch) -> dict[str, Tensor]:
        """(N, E) embeddings and their batch -> the loss, and that of the speakers."""
        numbers = [self.number_of[utt] for utt in batch.utts]
        speakers = torch.tensor(numbers, device=embeddings.device)
        logits = self.classifier(reverse(embeddings, self.weight))
        speaker = F.cross_entropy(logits.float(), speakers)
        return super().terms(embeddings, batch) | {"speaker": speaker}


def adversaries(
    adversaries: str = "fgsm,pgd",
    epsilons: str | None = None,
    adversary_steps: Count = 10,
) -> dict[str, Adversary | None]:
    """Make adversaries of every named kind and strength.

    Args:
        adversaries: adversarial attacks, comma-separated: fgsm (one gradient step), pgd
            (several from a random start).
        epsilons: largest perturbations, comma-separated, of samples, or in standard
            deviations of other features; None: 0.002 and 0.05, respectively.
        adversary_steps: number of PGD steps.

    Returns:
        name, e.g. "fgsm_0.05", -> adversary; "none", the first, -> None.

    Raises:
        AsdkitError: there is no such kind, or a change that is no number above 0.
    """
    made: dict[str, Adversary | None] = {"none": None}
    kinds: dict[str, AdversaryKind] = {kind: kind for kind in get_args(AdversaryKind)}
    for name in adversaries.split(","):
        if name not in kinds:
            known = ", ".join(kinds)
            raise AsdkitError(f"--adversaries: expected some of {known}; got {name!r}")
        kind = kinds[name]
        if epsilons is None:
            made[kind] = Adversary(kind, None, adversary_steps)
            continue
        for word in epsilons.split(","):
            try:
                epsilon = parse_number(word)
            except ValueError:
                epsilon = math.nan
            if not 0 < epsilon < math.inf:
                problem = f"expected numbers above 0, got {word!r}"
                raise AsdkitError(f"--epsilons: {problem}")
            made[f"{kind}_{epsilon:g}"] = Adversary(kind, epsilon, adversary_steps)
    return made


class Attacked(NamedTuple):
    """A batch with adversarially perturbed features; see `KnownBatch`."""

    utts: list[str]
    feats: Tensor
    num_frames: Tensor
    labels: Tensor


def attack_batches(
    network: Network,
    loss: nn.Module,
    batches: Iterable[PaddedBatch],
    label_of: Mapping[str, int],
    adversary: Adversary,
    device: str = "cpu",
) -> Iterator[Attacked]:
    """Perturb batches against their true labels, e.g. before scoring.

    What "pgd" draws depends on the utterances of a batch alone.

    Args:
        network: on the device.
        loss: on the device.
        batches: of whole utterances.
        label_of: utterance -> class.
        adversary: adversary to apply.
        device: device to compute on.
    """
    for batch in batches:
        labels = torch.tensor([label_of[utt] for utt in batch.utts], device=device)
        moved = Attacked(batch.utts, batch.feats.to(device), batch.num_frames, labels)
        seed = zlib.crc32(" ".join(batch.utts).encode())
        generator = torch.Generator().manual_seed(seed)
        yield moved._replace(feats=adversary(network, loss, moved, generator))


def within(x: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Clamp (...) x to bounds of its shape, element by element."""
    return torch.minimum(torch.maximum(x, low), high)


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Put a network into evaluation mode, and back again.

    Recurrent layers stay in training mode, where alone cuDNN goes back through them;
    ours compute the same in both.
    """
    modes = {module: module.training for module in network.modules()}
    try:
        for module in modes:
            module.training = isinstance(module, nn.RNNBase)
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode


class _Reverse(torch.autograd.Function):
    """Identity, whose gradient is reversed."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: float) -> Tensor:
        ctx.weight = weight
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, None]:
        return -ctx.weight * slope, None


def reverse(x: Tensor, weight: float) -> Tensor:
    """Return (...) x; its gradient is multiplied by -weight."""
    result = _Reverse.apply(x, weight)
    assert isinstance(result, Tensor)
    return result
