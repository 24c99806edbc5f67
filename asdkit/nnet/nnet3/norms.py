"""Components of nnet3 that normalize frames, or drop a part of them.

Source: Kaldi, src/nnet3/nnet-{normalize,simple,general}-component.cc.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from asdkit.nnet.nnet3.components import Component

NORM_FLOOR = 2.0**-66  # kSquaredNormFloor of NormalizeComponent
MOMENTUM = 0.1  # of the statistics of batch normalization, where training goes on


class BatchNorm(Component):
    """(x - mean) / std times a constant, of all dimensions or of every block of them.

    While training goes on, mean and variance are the batch's, and the stored ones
    follow them.  Kaldi sums them up over the last epochs instead.
    """

    def set_dims(self) -> None:
        """Set both dimensions."""
        self.input_dim = self.output_dim = int(self.option("Dim"))
        self.block_dim = len(self.array("StatsMean", 1))
        if self.array("StatsVar", 1).shape != (self.block_dim,) or (
            not self.block_dim or self.input_dim % self.block_dim
        ):
            raise ValueError(
                f"has statistics of {self.block_dim} of {self.input_dim} dimensions"
            )
        if float(self.option("Epsilon")) <= 0:
            raise ValueError("has an <Epsilon> that is not above 0")

    def initialize(self) -> None:
        """Start as the identity."""
        nn.init.ones_(self.array("StatsVar", 1))

    def forward(self, x: Tensor) -> Tensor:
        """(N, S, D) -> (N, S, D)."""
        var = self.array("StatsVar", 1)
        if not self.training:
            var = var.clamp(min=0)  # rounding
        normalized = functional.batch_norm(
            x.reshape(-1, self.block_dim),
            self.array("StatsMean", 1),
            var,
            training=self.training,
            momentum=MOMENTUM,
            eps=float(self.option("Epsilon")),
        )
        target = float(self.option("TargetRms", default=1.0))
        normalized = normalized.view(x.shape)
        return normalized if target == 1 else normalized * target


class Normalize(Component):
    """x scaled to a root mean square, of all dimensions or of every block of them."""

    def set_dims(self) -> None:
        """Set both dimensions."""
        self.input_dim = int(self.option("InputDim", "Dim"))
        self.block_dim = int(self.option("BlockDim", default=self.input_dim))
        self.with_log = bool(self.option("AddLogStddev", default=False))
        if self.block_dim < 1 or self.input_dim % self.block_dim:
            raise ValueError(f"{self.input_dim} dimensions, blocks of {self.block_dim}")
        num_blocks = self.input_dim // self.block_dim
        self.output_dim = self.input_dim + num_blocks * self.with_log

    def forward(self, x: Tensor) -> Tensor:
        """(N, S, D) -> (N, S, D')."""
        target = float(self.option("TargetRms", default=1.0))
        blocks = x.unflatten(2, (-1, self.block_dim))
        power = blocks.square().mean(3, keepdim=True)
        y = blocks * (power / target**2).clamp(min=NORM_FLOOR).rsqrt()
        if self.with_log:
            stddev = power.clamp(min=NORM_FLOOR).sqrt()
            y = torch.cat([y, stddev.log()], dim=3)
        return y.flatten(2)


class Dropout(Component):
    """Zeros at random while training; afterwards x times the share that was kept."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, S, D) -> (N, S, D)."""
        share = float(self.option("DropoutProportion"))
        if not self.training:
            return x * (1 - share)
        per_frame = self.option("DropoutPerFrame", default=False)
        shape = (*x.shape[:2], 1) if per_frame else x.shape
        return x * (torch.rand(shape, device=x.device) >= share)


class GeneralDropout(Component):
    """Zeros, or with <Continuous> factors around 1, at random while training.

    A mask holds for a block of dimensions, and for a period of time or, if that is 0,
    for the utterance.
    """

    def set_dims(self) -> None:
        """Set both dimensions."""
        super().set_dims()
        self.block_dim = int(self.option("BlockDim", default=self.input_dim))
        if self.block_dim < 1 or self.input_dim % self.block_dim:
            raise ValueError(f"{self.input_dim} dimensions, blocks of {self.block_dim}")

    def forward(self, x: Tensor) -> Tensor:
        """(N, S, D) -> (N, S, D)."""
        share = float(self.option("DropoutProportion"))
        if not self.training or not share:
            return x
        period = int(self.option("TimePeriod", default=0)) or x.shape[1]
        shape = x.shape[0], -(-x.shape[1] // period), 1, self.block_dim
        mask = torch.rand(shape, device=x.device, dtype=x.dtype)
        if self.option("Continuous", default=False):
            mask = 1 - 2 * share + 4 * share * mask
        else:
            mask = (mask >= share) / (1 - share)
        mask = mask.repeat_interleave(period, dim=1)[:, : x.shape[1]]
        return (x.unflatten(2, (-1, self.block_dim)) * mask).flatten(2)
