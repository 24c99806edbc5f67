import pytest
import torch

from asdkit.losses.float32 import at_least_float32


class Loss:
    @at_least_float32
    def forward(self, embeddings, scale):
        """Tell what the loss is given, and what a product becomes inside."""
        product = embeddings @ embeddings.T
        return torch.stack([embeddings.sum() * scale, product.sum()]), product.dtype


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
def test_a_loss_sees_float32_even_under_autocast(dtype):
    embeddings = torch.ones(3, 4, dtype=dtype)
    with torch.autocast("cpu", torch.bfloat16):
        values, inside = Loss().forward(embeddings, scale=2.0)
    assert (values.dtype, inside) == (torch.float32, torch.float32)
    assert values.tolist() == [24.0, 36.0]


def test_float64_stays_float64():
    assert Loss().forward(torch.ones(3, 4).double(), scale=1.0)[1] == torch.float64
