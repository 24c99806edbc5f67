"""Arithmetic of a training: the precision that a network computes in."""

from __future__ import annotations

from typing import Literal

import torch

Precision = Literal["auto", "float32", "bf16", "fp16"]
DTYPES = {"float32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def dtype_of(precision: Precision, device: str) -> torch.dtype:
    """Return the type that a network computes in on a device."""
    if precision != "auto":
        return DTYPES[precision]
    if torch.device(device).type == "cpu":
        return torch.float32
    bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.bfloat16 if bf16 else torch.float16


def autocast(precision: Precision, device: str) -> torch.autocast:
    """Run what is within in the type of `dtype_of`, and losses in float32."""
    dtype = dtype_of(precision, device)
    kind = torch.device(device).type
    return torch.autocast(kind, dtype, enabled=dtype != torch.float32)


def new_scaler(precision: Precision, device: str) -> torch.amp.GradScaler:
    """Construct the scaler of gradients, which does something for float16 only."""
    enabled = dtype_of(precision, device) == torch.float16
    return torch.amp.GradScaler(torch.device(device).type, enabled=enabled)
