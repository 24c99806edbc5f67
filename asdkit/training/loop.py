"""The training loop: one for every network, objective and number of ranks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, Protocol

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_

from asdkit.base.distributed import num_ranks
from asdkit.base.errors import AsdkitError
from asdkit.base.memory import keep_freed
from asdkit.base.ranges import (
    Count,
    Natural,
    NonNegative,
    Positive,
    PositiveOrInfinite,
    ProperShare,
)
from asdkit.io.tables import PathName
from asdkit.losses.objective import Objective
from asdkit.nnet.network import Network
from asdkit.training.averaging import WeightAverage
from asdkit.training.batchnorm import (
    RunningAverages,
    enough_for_batchnorm,
    renewed_averages,
)
from asdkit.training.checkpoint import Checkpoints, TrainingState, seed_step
from asdkit.training.microbatches import parallel, split, sync_gradients, to_device
from asdkit.training.nonfinite import refuse_nonfinite
from asdkit.training.optimizers import new_optimizers, set_rates
from asdkit.training.precision import Precision, autocast, new_scaler
from asdkit.training.progress import Progress
from asdkit.training.schedules import (
    Averaging,
    Schedule,
    average_share,
    best_share,
    rate_at,
)

if TYPE_CHECKING:
    from asdkit.batches.batches import Batch

ERROR = "EER %"  # the dev error, in the log and the history


class Batches(Protocol):
    """A source of batches; see `asdkit.batches.batches.TrainingBatches`."""

    @property
    def steps_per_epoch(self) -> int:
        """The number of batches in an epoch."""

    def from_step(self, step: int) -> Iterator[tuple[int, Batch]]:
        """Yield steps, endlessly from one on, and this rank's part of their batches."""


class TrainedModel(nn.Module):
    """Network and objective as one module, so that all gradients are summed over ranks.

    Args:
        network: maps features to embeddings.
        objective: computes its terms from the network and a batch.
    """

    def __init__(self, network: Network, objective: Objective) -> None:
        super().__init__()
        self.network = network
        self.objective = objective

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Compute the terms of the objective."""
        return self.objective(self.network, batch)


@dataclass(frozen=True)
class Training:
    """Train a network and the parameters of its objective.

    A training that was killed resumes from its last checkpoint.  On a CPU, with the
    same number of threads and ranks, its weights then equal those of an uninterrupted
    run to the bit.

    N ranks train the same network as one, each on its part of every batch, up to
    rounding and with two exceptions: batch normalization uses the statistics of a
    rank's part, unless ``sync_batchnorm`` is set (GPUs only), and a metric loss
    compares the utterances of one rank.  The same goes for the parts that
    ``accumulate`` makes.

    Args:
        num_epochs: passes over the training data; all schedules span them, so a
            training cannot be continued with another number.
        patience: number of epochs without a lower dev error after which training ends
            early; 0: never.
        optimizer: SGD with Nesterov momentum, Adam with weight decay in the gradient,
            or AdamW with decoupled weight decay.
        momentum: momentum of SGD.
        beta2: decay rate of the mean squared gradient of Adam and AdamW.
        adam_epsilon: term added to the denominator of Adam's and AdamW's step.
        amsgrad: divide Adam's and AdamW's step by the largest mean squared gradient so
            far, not the current one.
        weight_decay: weight decay of all parameters.
        loss_optimizer: optimizer of the objective's own parameters, e.g. a classifier;
            same: as for the network; sgd: SGD without momentum and weight decay.
        loss_learning_rate: learning rate of ``loss_optimizer`` before the same decay;
            None: as for the network.
        learning_rate: learning rate before the decay; Adam needs about 0.001.
        final_rate: final learning rate of the exponential and cosine decays.
        warmup: share of the training over which the learning rate rises linearly.
        schedule: decay of the learning rate; step: to a tenth after 1/2 and again after
            3/4 of the training.
        max_grad_norm: gradient norm above which gradients are scaled down; inf: never.
        accumulate: number of parts in which a batch passes through the network, to save
            memory.
        precision: precision of the network; auto: bf16 on a GPU, or fp16 on one without
            it, float32 on a CPU, where bf16 is faster if it has AMX. Losses are always
            in float32.
        channels_last: use the channels-last memory format (faster convolutions); None:
            on a GPU, and on a CPU for networks that are faster with it.
        sync_batchnorm: share batch-normalization statistics across ranks; GPUs only.
        averaging: final weights: the last (none), their moving average (ema), the mean
            over the last epochs, the epoch with the lowest dev error (best), or the
            mean over all epochs that had the lowest so far (best_mean).
        ema_decay: decay of the moving average per step.
        averaged_epochs: number of last epochs to average.
        seed: random seed for dropout; batches and initial weights have their own.
        checkpoint_minutes: minutes between checkpoints within an epoch.
    """

    num_epochs: Count = 30
    patience: Natural = 0
    optimizer: Literal["sgd", "adam", "adamw"] = "sgd"
    momentum: ProperShare = 0.9
    beta2: ProperShare = 0.999
    adam_epsilon: Positive = 1e-8
    amsgrad: bool = False
    weight_decay: NonNegative = 1e-4
    loss_optimizer: Literal["same", "sgd"] = "same"
    loss_learning_rate: Positive | None = None
    learning_rate: Positive = 0.1
    final_rate: Positive = 5e-5
    warmup: ProperShare = 0.04
    schedule: Schedule = "exponential"
    max_grad_norm: PositiveOrInfinite = 5.0
    accumulate: Count = 1
    precision: Precision = "auto"
    channels_last: bool | None = None
    sync_batchnorm: bool = False
    averaging: Averaging = "none"
    ema_decay: ProperShare = 0.999
    averaged_epochs: Count = 5
    seed: Natural = 0
    checkpoint_minutes: NonNegative = 10.0

    def fit(
        self,
        network: Network,
        objective: Objective,
        batches: Batches,
        directory: PathName,
        options: dict[str, Any],
        dev_error: Callable[[Network], float] | None = None,
        device: str = "cpu",
    ) -> list[dict[str, float]]:
        """Train; leave network and objective with the final, averaged weights.

        Args:
            network: network with its initial weights, the same on every rank.
            objective: training objective.
            batches: endless source of batches, a function of the step.
            directory: directory of the experiment, for checkpoints.
            options: options of everything but this class, as JSON can hold them; a
                checkpoint with others is refused.
            dev_error: measures the equal error rate after every epoch; None: no such
                measurement.
            device: device to compute on.

        Returns:
            one entry per epoch: name -> mean term, value or EER in percent.

        Raises:
            AsdkitError: there is a checkpoint with other options, or no dev error
                to choose the best epoch, or the last one, by.
            FitError: the loss is NaN or infinite.
        """
        self.check_dev_error(dev_error)
        keep_freed(device)
        num_steps = self.num_epochs * batches.steps_per_epoch
        options = options | {"training": self.options}
        state = self._begin(network, objective, device)
        checkpoints = Checkpoints(directory, options, self.checkpoint_minutes)
        checkpoints.restore(state)
        model = parallel(state.model)
        averages = RunningAverages(state.model)
        progress = Progress(
            directory, batches.steps_per_epoch, self.num_epochs, state.step
        )
        left = 0 if self._is_over(state.history) else num_steps - state.step
        coming = islice(batches.from_step(state.step), left)
        for step, batch in progress.watch(coming):
            seed_step(self.seed, step)
            values = {"rate": self._rate_at(step, num_steps)}
            values |= objective.schedule(step, num_steps)
            set_rates(state.optimizers, self, values["rate"])
            state.model.train()
            averages.prepare()
            losses = to_floats(self._gradient(state, model, batch))
            values["norm"] = losses.pop("norm")
            watched = losses if state.scaler.is_enabled() else losses | values
            refuse_nonfinite(directory, step, batch, watched)
            descend(state)
            state.average.move(state.model, self._average_share(step, batches))
            progress.add(len(batch.utts), losses, values)

            ends_epoch = state.step % batches.steps_per_epoch == 0
            if ends_epoch:
                results = self._measure(state, network, dev_error)
                state.history.append(progress.end_epoch(results))
            if ends_epoch or checkpoints.is_due():
                checkpoints.save(state)
            if ends_epoch and self._is_over(state.history):
                break
        progress.close()
        state.average.apply(state.model)
        if self.averaging == "best_mean":
            self._renew_averages(state, batches)
        return state.history

    def _renew_averages(self, state: TrainingState, batches: Batches) -> None:
        """Measure the running averages of averaged weights in an epoch of batches."""
        state.model.train()
        with renewed_averages(state.model) as found:
            number = batches.steps_per_epoch if found else 0
            for step, batch in islice(batches.from_step(0), number):
                seed_step(self.seed, step)
                for part, _, _ in split(batch, self.accumulate):
                    with autocast(self.precision, state.device):
                        state.model(to_device(part, state.device))

    def check_dev_error(self, dev_error: Callable[[Network], float] | None) -> None:
        """Raise an AsdkitError if there is no dev error to choose epochs by."""
        is_best = self.averaging in ("best", "best_mean")
        if dev_error is None and (is_best or self.patience):
            option = f"averaging {self.averaging}" if is_best else "patience"
            raise AsdkitError(
                f"--{option}: there is no dev error to choose by",
                hint="hold out speakers with --num-valid-spks",
            )

    def _is_over(self, history: list[dict[str, float]]) -> bool:
        """Tell whether the dev error has not fallen for as long as patience lasts."""
        errors = [entry[ERROR] for entry in history if self.patience]
        return bool(errors) and len(errors) - errors.index(min(errors)) > self.patience

    @property
    def options(self) -> dict[str, Any]:
        """The fields that the result depends on."""
        harmless = ["checkpoint_minutes"]
        if not self.patience:
            harmless += ["patience"]
        of_adam = ["beta2", "adam_epsilon", "amsgrad"]
        if self.optimizer == "sgd":
            harmless += of_adam
        if (
            self.optimizer == "adamw"
        ):  # older checkpoints have it with the defaults only
            harmless += [x for x in of_adam if getattr(self, x) == getattr(Training, x)]
        if self.loss_optimizer == "same":
            harmless += ["loss_optimizer", "loss_learning_rate"]
        return {name: x for name, x in asdict(self).items() if name not in harmless}

    def _gradient(
        self, state: TrainingState, model: nn.Module, batch: Batch
    ) -> dict[str, Tensor]:
        """Compute the gradient of a batch, part by part, and limit its norm.

        Returns:
            the mean terms, and ``norm``, the norm before that.
        """
        sums: dict[str, Tensor] = {}
        for part, share, is_last in split(batch, self.accumulate):
            with sync_gradients(model, is_last):
                with (
                    autocast(self.precision, state.device),
                    enough_for_batchnorm(len(part.utts)),
                ):
                    terms = model(to_device(part, state.device))
                loss = share * torch.stack([*terms.values()]).sum()
                state.scaler.scale(loss).backward()
            for name, term in terms.items():
                sums[name] = sums.get(name, 0) + share * term.detach()
        for optimizer in state.optimizers:
            state.scaler.unscale_(optimizer)
        sums["norm"] = clip_grad_norm_(model.parameters(), self.max_grad_norm)
        return sums

    def _measure(
        self,
        state: TrainingState,
        network: Network,
        dev_error: Callable[[Network], float] | None,
    ) -> dict[str, float]:
        """Measure the dev error after an epoch; keep the weights if among the best."""
        if dev_error is None:
            return {}
        if self.averaging not in ("best", "best_mean"):
            with state.average.lent(state.model):
                return {ERROR: 100 * dev_error(network)}
        error = 100 * dev_error(network)
        errors = [*(entry[ERROR] for entry in state.history), error]
        state.average.move(state.model, best_share(errors, self.averaging))
        return {ERROR: error}

    def _begin(
        self, network: Network, objective: Objective, device: str
    ) -> TrainingState:
        """Assemble everything that changes from step to step."""
        model: nn.Module = TrainedModel(network, objective).to(device)
        channels_last = self.channels_last
        if channels_last is None:
            channels_last = network.channels_last or torch.device(device).type != "cpu"
        if channels_last:
            model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if self.sync_batchnorm and num_ranks() > 1:
            model = nn.SyncBatchNorm.convert_sync_batchnorm(model)
        scaler = new_scaler(self.precision, device)
        optimizers = new_optimizers(self, network, objective)
        return TrainingState(model, optimizers, scaler, WeightAverage(), device)

    def _rate_at(self, step: int, num_steps: int) -> float:
        """Return the learning rate of a step."""
        return rate_at(
            step,
            num_steps,
            self.learning_rate,
            self.final_rate,
            self.warmup,
            self.schedule,
        )

    def _average_share(self, step: int, batches: Batches) -> float:
        """Return how far the average moves after a step."""
        return average_share(
            step,
            batches.steps_per_epoch,
            self.num_epochs,
            self.averaging,
            self.ema_decay,
            self.averaged_epochs,
        )


def descend(state: TrainingState) -> None:
    """Move the weights along the gradient, unless float16 overflowed, and clear it."""
    for optimizer in state.optimizers:
        state.scaler.step(optimizer)
        optimizer.zero_grad()
    state.scaler.update()
    state.step += 1


def to_floats(tensors: dict[str, Tensor]) -> dict[str, float]:
    """Fetch scalars from a device at once; here, and only here, a GPU is waited for."""
    values = torch.stack([x.float() for x in tensors.values()]).tolist()
    return dict(zip(tensors, values, strict=True))
