"""The precision that a network computes in."""

import pytest
import torch

from asdkit.training.precision import autocast, dtype_of, new_scaler


@pytest.mark.parametrize(
    ("precision", "expected"),
    [
        ("auto", torch.float32),
        ("float32", torch.float32),
        ("bf16", torch.bfloat16),
        ("fp16", torch.float16),
    ],
)
def test_a_cpu_computes_as_asked_and_in_float32_unless_asked(precision, expected):
    assert dtype_of(precision, "cpu") == expected
    with autocast(precision, "cpu"):
        product = torch.nn.Linear(2, 2)(torch.ones(1, 2))
    assert product.dtype == expected
    assert new_scaler(precision, "cpu").is_enabled() == (precision == "fp16")


@pytest.mark.parametrize(("bf16", "expected"), [(True, "bfloat16"), (False, "float16")])
def test_a_gpu_takes_bf16_where_it_has_that(monkeypatch, bf16, expected):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: bf16)
    assert dtype_of("auto", "cuda:1") == getattr(torch, expected)
