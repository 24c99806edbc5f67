import pytest
import torch

from asdkit.ivector.blocks import gaussian_blocks, matrix_blocks, row_blocks

CUTS = {
    "matrices": lambda total: matrix_blocks(total, torch.device("cpu")),
    "Gaussians": gaussian_blocks,
    "rows": row_blocks,
}


@pytest.mark.parametrize("total", [0, 1, 16, 17, 9999])
@pytest.mark.parametrize("cut", CUTS.values(), ids=CUTS)
def test_blocks_cover_everything_once(cut, total):
    assert [i for block in cut(total) for i in range(total)[block]] == [*range(total)]
