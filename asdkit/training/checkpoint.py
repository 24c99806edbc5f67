"""Checkpoints: a training killed at any step resumes without loss.

Batches, schedules and random numbers are functions of the seed and the step, so the
step stands for the position of the sampler, of every schedule and of every generator.
That leaves the weights, the optimizer's state, the loss scale and the average.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from asdkit.base.differences import differences
from asdkit.base.distributed import barrier, is_main, rank
from asdkit.base.errors import AsdkitError, DataError
from asdkit.io.store import building
from asdkit.io.tables import PathName
from asdkit.io.tensors import load_tensors, save_tensors
from asdkit.training.averaging import WeightAverage

logger = logging.getLogger(__name__)
KIND = "Checkpoint"
OPTIMIZERS = ("optimizer", "loss_optimizer")


def seed_step(seed: int, step: int) -> None:
    """Seed this rank's generators, on CPU and GPU, for one step.

    So resuming needs no state for dropout and whatever else is random in a step.
    """
    entropy = np.random.SeedSequence((seed, step, rank()))
    torch.manual_seed(int(entropy.generate_state(1, np.uint64)[0]))


@dataclass
class TrainingState:
    """Everything that changes from step to step.

    Attributes:
        model: network and objective.
        optimizers: optimizer of all their parameters, or one of the network's and one
            of the objective's own.
        scaler: loss scaler for fp16.
        average: average of the weights.
        device: device of the model.
        step: number of steps done.
        history: one entry per epoch, with the values of its log line.
    """

    model: nn.Module
    optimizers: list[torch.optim.Optimizer]
    scaler: torch.amp.GradScaler
    average: WeightAverage
    device: str
    step: int = 0
    history: list[dict[str, float]] = field(default_factory=list)

    def state_dict(self) -> dict[str, Any]:
        """Collect the contents of a checkpoint."""
        return {
            "model": self.model.state_dict(),
            **{
                name: optimizer.state_dict()
                for name, optimizer in zip(OPTIMIZERS, self.optimizers, strict=False)
            },
            "scaler": self.scaler.state_dict(),
            "average": self.average.state_dict(),
            "step": self.step,
            "history": self.history,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore the state from `state_dict`."""
        self.model.load_state_dict(state["model"])
        for name, optimizer in zip(OPTIMIZERS, self.optimizers, strict=False):
            optimizer.load_state_dict(state[name])
        self.scaler.load_state_dict(state["scaler"])
        self.average.load_state_dict(state["average"], self.device)
        self.step = state["step"]
        self.history = state["history"]


class Checkpoints:
    """The last checkpoints of a training, ``checkpoint.<step>.pt`` in its directory.

    Args:
        directory: directory of the experiment.
        options: everything that the result depends on, as JSON can hold it; "classes"
            are the speakers in the order of their labels.
        minutes: minutes between two checkpoints; 0: one after every step.
        keep: number of checkpoints to keep, more than one in case of a damaged disk.
    """

    def __init__(
        self,
        directory: PathName,
        options: Mapping[str, Any],
        minutes: float = 10.0,
        keep: int = 2,
    ) -> None:
        self.directory = Path(directory)
        self.options = json.loads(json.dumps(options))  # as a file gives them back
        self.minutes = minutes
        self.keep = keep
        self.last_save = time.monotonic()

    def restore(self, state: TrainingState) -> None:
        """Resume from the last checkpoint, if there is one.

        Raises:
            AsdkitError: it was made with other options, or all are damaged.
        """
        if is_main():
            for left in self.directory.glob(".checkpoint.*.tmp"):
                left.unlink()  # of a training that was killed while it wrote
        found = self._paths()
        for path in reversed(found):
            try:
                options, tensors = load_tensors(path, KIND)
                self._refuse_others(path, options)
                with building(path):
                    state.load_state_dict(tensors)
            except DataError as error:
                if path == found[0]:
                    error.hint = f"remove {self.directory} to begin anew"
                    raise
                logger.warning("checkpoint: %s; taking the one before", error)
                continue
            logger.info("checkpoint: resuming from %s", path)
            break
        barrier()  # no rank writes while another still reads

    def is_due(self) -> bool:
        """Tell whether it is time for another checkpoint."""
        return time.monotonic() - self.last_save >= 60 * self.minutes

    def save(self, state: TrainingState) -> None:
        """Write a checkpoint, on rank 0, then remove old ones."""
        if is_main():
            path = self.directory / f"checkpoint.{state.step}.pt"
            save_tensors(path, KIND, self.options, state.state_dict())
            for old in self._paths()[: -self.keep]:
                old.unlink()
        self.last_save = time.monotonic()

    def _paths(self) -> list[Path]:
        """List the checkpoints, the oldest first."""
        steps = {}
        for path in self.directory.glob("checkpoint.*.pt"):
            if name := re.fullmatch(r"checkpoint\.(\d+)\.pt", path.name):
                steps[path] = int(name[1])
        return sorted(steps, key=steps.__getitem__)

    def _refuse_others(self, path: Path, options: Mapping[str, Any]) -> None:
        """Raise an error if a checkpoint belongs to another training."""
        hint = f"give the same options, or another directory, or remove {path.parent}"
        ours, theirs = dict(self.options), dict(options)
        new, old = ours.pop("classes", []), theirs.pop("classes", [])
        if absent := sorted(set(new) - set(old)):
            raise AsdkitError(
                f"{path}: its classifier has {len(old)} classes, and label "
                f"{absent[0]!r} is not among them ({len(absent)} such labels)",
                hint,
            )
        if absent := sorted(set(old) - set(new)):
            raise AsdkitError(
                f"{path}: its classifier has {len(old)} classes, and the data none of "
                f"{absent[0]!r} ({len(absent)} such labels)",
                hint,
            )
        if new != old:
            raise AsdkitError(f"{path}: its classes have another order", hint)
        differing = list(differences(theirs, ours))
        if differing:
            raise AsdkitError(f"{path}: made with {'; '.join(differing[:5])}", hint)
