import pytest
import torch

from asdkit.ivector.symmetric import pack, packed_dim, unpack


@pytest.mark.parametrize("dim", [1, 2, 7])
def test_unpacking_what_was_packed_gives_it_back(dim):
    x = torch.randn(3, dim, dim, generator=torch.Generator().manual_seed(0))
    x = x + x.mT
    assert pack(x).shape == (3, packed_dim(dim))
    assert torch.equal(unpack(pack(x), dim), x)
    out = torch.empty_like(x)
    assert unpack(pack(x), dim, out=out) is out
    assert torch.equal(out, x)


def test_packed_is_the_lower_triangle_row_after_row():
    x = torch.tensor([[[1.0, 99, 99], [2, 3, 99], [4, 5, 6]]])
    assert pack(x).tolist() == [[1, 2, 3, 4, 5, 6]]
    out = torch.empty(1, 6)
    assert pack(x, out=out) is out
