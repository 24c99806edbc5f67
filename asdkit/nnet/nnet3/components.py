"""Components of nnet3 that map frames one by one: affine maps, nonlinearities.

A component keeps every field that Kaldi's file had, also what only Kaldi's training
uses, so that it can be written back; see `asdkit.kaldi.nnet3`.

Source: Kaldi, src/nnet3/nnet-simple-component.cc.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from asdkit.nnet.nnet3.descriptors import Span

Fields = Sequence[tuple[str, Any]]
SCALE_FLOOR = 1e-4  # Epsilon of ScaleAndOffsetComponent


def attribute(token: str) -> str:
    """Name the attribute of a field.

    Example:
        >>> attribute("LinearParams")
        'linear_params'
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", token).lower()


class Component(nn.Module):
    """A component that maps every frame by itself.

    Args:
        fields: token and value of each field, in the order of the file.  An array is
            given by its shape, ``{"shape": [40, 120]}``; its numbers come with the
            state.

    Attributes:
        fields: as given.
        input_dim: D.
        output_dim: D'.

    Raises:
        ValueError: a field is missing, or fields contradict each other.
    """

    trained: tuple[str, ...] = ()  # fields that are parameters
    input_dim: int
    output_dim: int

    def __init__(self, fields: Fields) -> None:
        super().__init__()
        self.fields = [(str(token), value) for token, value in fields]
        self.options: dict[str, Any] = {}
        for token, value in self.fields:
            if not isinstance(value, Mapping):
                self.options[token] = value
                continue
            array = torch.zeros(*value["shape"])
            if token in self.trained:
                self.register_parameter(attribute(token), nn.Parameter(array))
            else:
                self.register_buffer(attribute(token), array)
        self.set_dims()
        if min(self.input_dim, self.output_dim) < 1:
            raise ValueError(f"maps {self.input_dim} to {self.output_dim} dimensions")

    def set_dims(self) -> None:
        """Set both dimensions."""
        self.input_dim = self.output_dim = int(self.option("Dim", "InputDim"))

    def option(self, *tokens: str, default: Any = None) -> Any:
        """Return the value of the first of the fields that is there."""
        for token in tokens:
            if token in self.options:
                return self.options[token]
        if default is None:
            raise ValueError(f"lacks <{tokens[0]}>")
        return default

    def array(self, token: str, num_axes: int) -> Tensor:
        """Return the (..., D) array of a field."""
        found = getattr(self, attribute(token), None)
        if not isinstance(found, Tensor) or found.dim() != num_axes:
            raise ValueError(f"lacks <{token}> of {num_axes} axes")
        return found

    def initialize(self) -> None:
        """Draw initial parameters, for a network that is trained from the start."""

    def needs(self, span: Span) -> Span:
        """Bound where its output is defined, given a bound of its input."""
        return span

    def forward(self, x: Tensor) -> Tensor:
        """(N, S, D) -> (N, S, D')."""
        raise NotImplementedError


class Same(Component):
    """NoOp, and what only Kaldi's training has a use for."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, S, D) -> (N, S, D)."""
        return x


class Scaled(Component):
    """x times a constant."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, S, D) -> (N, S, D)."""
        return x * float(self.option("Scale", default=1.0))


class Pointwise(Component):
    """A function of every number, or of every frame."""

    function: Callable[[Tensor], Tensor]

    def forward(self, x: Tensor) -> Tensor:
        """(N, S, D) -> (N, S, D)."""
        return type(self).function(x)


class RectifiedLinear(Pointwise):
    """max(x, 0)."""

    function = staticmethod(torch.relu)


class Sigmoid(Pointwise):
    """1 / (1 + exp(-x))."""

    function = staticmethod(torch.sigmoid)


class Tanh(Pointwise):
    """Hyperbolic tangent."""

    function = staticmethod(torch.tanh)


class Softmax(Pointwise):
    """Softmax over the dimensions of a frame."""

    @staticmethod
    def function(x: Tensor) -> Tensor:
        """(N, S, D) -> (N, S, D)."""
        return x.softmax(dim=-1)


class LogSoftmax(Pointwise):
    """Logarithm of the softmax over the dimensions of a frame."""

    @staticmethod
    def function(x: Tensor) -> Tensor:
        """(N, S, D) -> (N, S, D)."""
        return x.log_softmax(dim=-1)


class Affine(Component):
    """W x + b, with natural gradient or without."""

    trained: tuple[str, ...] = ("LinearParams", "BiasParams")

    def set_dims(self) -> None:
        """Set both dimensions."""
        self.output_dim, self.input_dim = self.array("LinearParams", 2).shape
        if self.array("BiasParams", 1).shape != (self.output_dim,):
            raise ValueError("has a bias of another size than its output")

    def initialize(self) -> None:
        """Draw weights with a standard deviation of D^-1/2, as Kaldi does; b = 0."""
        nn.init.normal_(self.array("LinearParams", 2), std=self.input_dim**-0.5)

    def forward(self, x: Tensor) -> Tensor:
        """(N, S, D) -> (N, S, D')."""
        return functional.linear(
            x, self.array("LinearParams", 2), self.array("BiasParams", 1)
        )


class FixedAffine(Affine):
    """W x + b that is not trained, e.g. an LDA of the input."""

    trained = ()


class Linear(Component):
    """W x."""

    trained = ("Params",)

    def set_dims(self) -> None:
        """Set both dimensions."""
        self.output_dim, self.input_dim = self.array("Params", 2).shape

    def initialize(self) -> None:
        """Draw weights with a standard deviation of D^-1/2, as Kaldi does."""
        nn.init.normal_(self.array("Params", 2), std=self.input_dim**-0.5)

    def forward(self, x: Tensor) -> Tensor:
        """(N, S, D) -> (N, S, D')."""
        return functional.linear(x, self.array("Params", 2))


class BlockAffine(Component):
    """Affine maps of blocks of the dimensions, each with its own rows of W."""

    trained = ("LinearParams", "BiasParams")

    def set_dims(self) -> None:
        """Set both dimensions."""
        self.num_blocks = int(self.option("NumBlocks"))
        self.output_dim, block_dim = self.array("LinearParams", 2).shape
        self.input_dim = block_dim * self.num_blocks
        if self.num_blocks < 1 or self.output_dim % self.num_blocks:
            raise ValueError(f"has {self.output_dim} rows, {self.num_blocks} blocks")
        if self.array("BiasParams", 1).shape != (self.output_dim,):
            raise ValueError("has a bias of another size than its output")

    def forward(self, x: Tensor) -> Tensor:
        """(N, S, D) -> (N, S, D')."""
        weights = self.array("LinearParams", 2)
        weights = weights.view(self.num_blocks, -1, weights.shape[1])
        blocks = x.unflatten(2, (self.num_blocks, -1))  # (N, S, B, D / B)
        y = torch.einsum("nsbd,bed->nsbe", blocks, weights)
        return y.flatten(2) + self.array("BiasParams", 1)


class RepeatedAffine(Component):
    """One affine map of every block of the dimensions."""

    trained = ("LinearParams", "BiasParams")

    def set_dims(self) -> None:
        """Set both dimensions."""
        self.num_blocks = int(self.option("NumRepeats"))
        rows, columns = self.array("LinearParams", 2).shape
        self.input_dim = columns * self.num_blocks
        self.output_dim = rows * self.num_blocks
        if self.array("BiasParams", 1).shape != (rows,):
            raise ValueError("has a bias of another size than its blocks")

    def forward(self, x: Tensor) -> Tensor:
        """(N, S, D) -> (N, S, D')."""
        weights, bias = self.array("LinearParams", 2), self.array("BiasParams", 1)
        blocks = x.unflatten(2, (self.num_blocks, -1))  # (N, S, B, D / B)
        return functional.linear(blocks, weights, bias).flatten(2)


class FixedScale(Component):
    """x times a vector that is not trained."""

    field = "Scales"

    def set_dims(self) -> None:
        """Set both dimensions."""
        self.input_dim = self.output_dim = len(self.array(self.field, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(N, S, D) -> (N, S, D)."""
        return x * self.array(self.field, 1)


class PerElementScale(FixedScale):
    """x times a vector, with natural gradient or without."""

    field = "Params"
    trained = ("Params",)


class FixedBias(FixedScale):
    """x plus a vector that is not trained."""

    field = "Bias"

    def forward(self, x: Tensor) -> Tensor:
        """(N, S, D) -> (N, S, D)."""
        return x + self.array(self.field, 1)


class PerElementOffset(Component):
    """x plus a vector, of all dimensions or of every block of them."""

    trained: tuple[str, ...] = ("Offsets",)

    def set_dims(self) -> None:
        """Set both dimensions."""
        block_dim = len(self.array("Offsets", 1))
        self.input_dim = self.output_dim = int(self.option("Dim", default=block_dim))
        if not block_dim or self.input_dim % block_dim:
            raise ValueError(f"{self.input_dim} dimensions in blocks of {block_dim}")

    def forward(self, x: Tensor) -> Tensor:
        """(N, S, D) -> (N, S, D)."""
        offsets = self.array("Offsets", 1)
        return (x.unflatten(2, (-1, len(offsets))) + offsets).flatten(2)


class ScaleAndOffset(PerElementOffset):
    """x times a vector plus a vector; no factor is closer to 0 than `SCALE_FLOOR`."""

    trained = ("Scales", "Offsets")

    def set_dims(self) -> None:
        """Set both dimensions."""
        super().set_dims()
        if self.array("Scales", 1).shape != self.array("Offsets", 1).shape:
            raise ValueError("has scales and offsets of two sizes")

    def initialize(self) -> None:
        """Start as the identity."""
        nn.init.ones_(self.array("Scales", 1))

    def forward(self, x: Tensor) -> Tensor:
        """(N, S, D) -> (N, S, D)."""
        scales = self.array("Scales", 1)
        floor = torch.where(scales < 0, -SCALE_FLOOR, SCALE_FLOOR)
        scales = torch.where(scales.abs() < SCALE_FLOOR, floor, scales)
        blocks = x.unflatten(2, (-1, len(scales)))
        return (blocks * scales + self.array("Offsets", 1)).flatten(2)


class ConstantFunction(Component):
    """A vector, whatever x is."""

    trained = ("Output",)

    def set_dims(self) -> None:
        """Set both dimensions."""
        self.input_dim = int(self.option("InputDim"))
        self.output_dim = len(self.array("Output", 1))

    def forward(self, x: Tensor) -> Tensor:
        """(N, S, D) -> (N, S, D')."""
        return self.array("Output", 1).expand(*x.shape[:2], -1)
