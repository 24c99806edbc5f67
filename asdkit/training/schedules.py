"""Schedules of the learning rate and of weight averaging.

Each is a function of the step alone, so that resuming needs no state.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Literal

Schedule = Literal["exponential", "cosine", "step", "constant"]
Averaging = Literal["none", "ema", "epochs", "best", "best_mean"]


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
            the ends of the last epochs.  "best" and "best_mean" move after the dev
            error is measured only, see `best_share`.
        ema_decay: share of itself that the moving average keeps in a step.
        averaged_epochs: number of last epochs to average.

    Returns:
        in [0, 1]; 0: nothing is averaged at this step, 1: the average begins.
    """
    if averaging == "ema":
        return max(1 - ema_decay, 1 / (step + 1))
    epoch, rest = divmod(step + 1, steps_per_epoch)
    first = max(1, num_epochs - averaged_epochs + 1)
    if averaging in ("none", "best", "best_mean") or rest or epoch < first:
        return 0.0
    return 1 / (epoch - first + 1)


def best_share(errors: Iterable[float], averaging: Averaging) -> float:
    """Return how far the kept weights move to those of the epoch just ended.

    Args:
        errors: error of every epoch so far, the last one's last; NaN is never the best.
        averaging: "best" keeps the weights of the epoch with the lowest error, of equal
            ones the last; "best_mean" the mean of the weights of all epochs that had
            the lowest error so far when they ended.

    Returns:
        in [0, 1]; 0: the epoch is not the best so far, or averaging is another.

    Source: stochastic weight averaging as in github.com/clovaai/aasist, main.py, where
    an epoch is averaged whose EER on dev is at most the lowest before; they compute the
    statistics of batch normalization anew, here these are averaged like the weights.

    Example:
        >>> [best_share([0.3, 0.1, 0.2, 0.1][:n], "best_mean") for n in (1, 2, 3, 4)]
        [1.0, 0.5, 0.0, 0.3333333333333333]
    """
    least, num_best, is_best = math.inf, 0, False
    for error in errors:
        is_best = error <= least
        if is_best:
            least, num_best = error, num_best + 1
    if not is_best or averaging not in ("best", "best_mean"):
        return 0.0
    return 1.0 if averaging == "best" else 1 / num_best
