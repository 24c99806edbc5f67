"""Schedules of the learning rate and of weight averaging.

Each is a function of the step alone, so that resuming needs no state.
"""

from __future__ import annotations

import math
from typing import Literal

Schedule = Literal["exponential", "cosine", "step", "constant"]
Averaging = Literal["none", "ema", "epochs", "best"]


def rate_at(
    step: int,
    num_steps: int,
    learning_rate: float = 0.1,
    final_rate: float = 5e-5,
    warmup: float = 0.04,
    schedule: Schedule = "exponential",
) -> float:
    """Return the learning rate of a step: a decay, and a linear rise that scales it.

    Args:
        step: step, counted from 0.
        num_steps: steps of the whole training.
        learning_rate: rate that the decay starts from; after the rise, less is left.
        final_rate: final rate of the exponential and cosine decays.
        warmup: share of the training that the rise takes, in [0, 1).
        schedule: "exponential"; "cosine"; "step", a tenth after half and after three
            quarters of the training; or "constant".

    Source: WeSpeaker's voxceleb/v2, for the exponential decay and the rise.

    Example:
        >>> [rate_at(step, 100, schedule="step", warmup=0.02) for step in (0, 1, 50)]
        [0.05, 0.1, 0.01]
    """
    done = step / num_steps
    rise = min(1.0, (step + 1) / (warmup * num_steps)) if warmup > 0 else 1.0
    if schedule == "exponential":
        rate = learning_rate * (final_rate / learning_rate) ** done
    elif schedule == "cosine":
        fall = (1 + math.cos(math.pi * done)) / 2
        rate = final_rate + (learning_rate - final_rate) * fall
    elif schedule == "step":
        rate = learning_rate / 10 ** ((done >= 0.5) + (done >= 0.75))
    else:
        rate = learning_rate
    return rise * rate


def average_share(
    step: int,
    steps_per_epoch: int,
    num_epochs: int,
    averaging: Averaging = "none",
    ema_decay: float = 0.999,
    averaged_epochs: int = 5,
) -> float:
    """Return how far the average of the weights moves toward the current weights.

    Args:
        step: step just done, counted from 0.
        steps_per_epoch: steps of an epoch.
        num_epochs: epochs of the whole training.
        averaging: "ema" is the exponential moving average over the steps, and the
            plain mean as long as these are few; "epochs" the mean of the weights at
            the ends of the last epochs.  "best" is no average, but the weights of the
            epoch with the lowest dev error, which the loop keeps.
        ema_decay: share of itself that the moving average keeps in a step.
        averaged_epochs: number of last epochs to average.

    Returns:
        in [0, 1]; 0: nothing is averaged at this step, 1: the average begins.
    """
    if averaging == "ema":
        return max(1 - ema_decay, 1 / (step + 1))
    epoch, rest = divmod(step + 1, steps_per_epoch)
    first = max(1, num_epochs - averaged_epochs + 1)
    if averaging in ("none", "best") or rest or epoch < first:
        return 0.0
    return 1 / (epoch - first + 1)
