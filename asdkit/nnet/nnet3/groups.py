"""Components of nnet3 that join groups of dimensions, or put them in another order.

Source: Kaldi, src/nnet3/nnet-simple-component.cc.
"""

from __future__ import annotations

import torch
from torch import Tensor

from asdkit.nnet.nnet3.components import Component


class SumBlock(Component):
    """The sum of all blocks of the dimensions, times a constant."""

    def set_dims(self) -> None:
        """Set both dimensions."""
        self.input_dim = int(self.option("InputDim"))
        self.output_dim = int(self.option("OutputDim"))
        if self.output_dim < 1 or self.input_dim % self.output_dim:
            raise ValueError(
                f"{self.input_dim} dimensions, blocks of {self.output_dim}"
            )

    def forward(self, x: Tensor) -> Tensor:
        """(N, S, D) -> (N, S, D')."""
        blocks = x.unflatten(2, (-1, self.output_dim))
        return blocks.sum(2) * float(self.option("Scale", default=1.0))


class ElementwiseProduct(SumBlock):
    """The product of all blocks of the dimensions."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, S, D) -> (N, S, D')."""
        return x.unflatten(2, (-1, self.output_dim)).prod(2)


class Pnorm(SumBlock):
    """The 2-norm of neighboring dimensions."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, S, D) -> (N, S, D')."""
        return torch.linalg.vector_norm(x.unflatten(2, (self.output_dim, -1)), dim=3)


class SumGroup(Component):
    """The sums of neighboring dimensions, in groups of given sizes."""

    def set_dims(self) -> None:
        """Set both dimensions."""
        self.sizes = [int(size) for size in self.option("Sizes")]
        self.input_dim, self.output_dim = sum(self.sizes), len(self.sizes)
        if min(self.sizes, default=0) < 1:
            raise ValueError("has a group without dimensions")

    def forward(self, x: Tensor) -> Tensor:
        """(N, S, D) -> (N, S, D')."""
        sizes = torch.tensor(self.sizes, device=x.device)
        group = torch.repeat_interleave(sizes)  # (D,) the number of the group of each
        return x.new_zeros(*x.shape[:2], len(sizes)).index_add(2, group, x)


class Permute(Component):
    """The dimensions in another order."""

    def set_dims(self) -> None:
        """Set both dimensions."""
        order = self.option("ColumnMap")
        self.input_dim = self.output_dim = len(order)
        if sorted(order) != list(range(len(order))):
            raise ValueError("has a <ColumnMap> that is no permutation")

    def forward(self, x: Tensor) -> Tensor:
        """(N, S, D) -> (N, S, D)."""
        order = torch.tensor(self.option("ColumnMap"), device=x.device)
        return x.index_select(2, order)
