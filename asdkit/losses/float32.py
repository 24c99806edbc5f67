"""Compute losses in float32 or better, whatever the network's precision.

A margin of 0.2 on a cosine of 0.99 times a scale of 32 has no digits left in bfloat16.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


def at_least_float32(method: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Give a loss's method embeddings in float32 or better, outside of autocast."""

    @functools.wraps(method)
    def wrapped(self: Any, embeddings: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        wide = torch.promote_types(embeddings.dtype, torch.float32)
        with torch.autocast(embeddings.device.type, enabled=False):
            return method(self, embeddings.to(wide), *args, **kwargs)

    return wrapped
