"""Alignment of frames with the Gaussians of a UBM.

On a CPU the diagonal mixture chooses a few Gaussians per frame and the full one weighs
them, as in Kaldi.  On a GPU the full mixture weighs them all: one matrix product,
faster than selection, and without its loss of posterior mass (a few percent).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from asdkit.base.blas import matmul
from asdkit.base.ranges import Count, Share
from asdkit.gmm.accumulators import GmmStats
from asdkit.gmm.diagonal import DiagGmm
from asdkit.gmm.full import CHUNK, FullGmm, append_one, products
from asdkit.gmm.posteriors import Posteriors
from asdkit.gmm.statistics import moments
from asdkit.gmm.tiles import tiles

# Frames weighed together on the CPU: enough pairs per Gaussian for matrix products.
BLOCK = 16384


class Aligner:
    """Compute the posteriors of a UBM's Gaussians.

    Args:
        diag: mixture for Gaussian selection.
        full: mixture for the posteriors, with the same Gaussians.
        num_gselect: Gaussians to choose per frame; all on a GPU, or if the UBM has no
            more.
        min_post: posterior below which a Gaussian is dropped; the others are rescaled
            to sum to 1, and the largest always stays.
        device: of the frames to come.

    Source: Kaldi, src/fgmmbin/fgmm-global-gselect-to-post.cc.
    """

    def __init__(
        self,
        diag: DiagGmm,
        full: FullGmm,
        num_gselect: Count = 20,
        min_post: Share = 0.025,
        device: str | torch.device = "cpu",
    ) -> None:
        if diag.means_.shape != full.means_.shape:
            raise ValueError(f"shapes {diag.means_.shape} and {full.means_.shape}")
        self.diag = diag
        self.num_gauss = full.num_gauss
        self.num_gselect = num_gselect
        self.min_post = min_post
        device = torch.device(device)
        self.dense = device.type != "cpu" or num_gselect >= full.num_gauss
        if self.dense:
            self.projection = full.projection().to(device, torch.float32)
        else:
            factor, constant = full.factors()
            self.factor = factor.to(device, torch.float32).contiguous()
            self.constant = constant.to(device, torch.float32)

    def align(self, frames: Tensor) -> Posteriors:
        """(T, D) float32 frames -> their posteriors, on the same device."""
        return self.align_and_score(frames)[0]

    @np.errstate(over="ignore", invalid="ignore")  # told at the end
    def align_and_score(self, frames: Tensor) -> tuple[Posteriors, Tensor]:
        """Compute the posteriors, and the log-likelihood of every frame along the way.

        Args:
            frames: (T, D) float32.

        Returns:
            the posteriors, and (T,) log-likelihoods of the Gaussians weighed.

        Raises:
            ValueError: the dimension is not the UBM's, or a frame is not finite or so
                large that its likelihood is not.
        """
        dim = self.diag.means_.shape[1]
        if frames.shape[1] != dim:
            raise ValueError(f"frames of {frames.shape[1]} dimensions, UBM of {dim}")
        counts, gauss, values, scores = [], [], [], []
        for chosen, loglikes in self._weigh(frames):
            posteriors = loglikes.softmax(dim=1)
            best = posteriors.amax(dim=1, keepdim=True)
            # log-sum-exp, without another pass over all exponentials
            scores.append(loglikes.amax(dim=1) - best.squeeze(1).log())
            kept = (posteriors >= self.min_post) | (posteriors == best)
            posteriors *= kept
            posteriors /= posteriors.sum(dim=1, keepdim=True)
            counts.append(kept.sum(dim=1))
            gauss.append(chosen.expand_as(kept)[kept].int())
            values.append(posteriors[kept])
        splits = torch.cat([frames.new_zeros(1).long(), *counts]).cumsum(0)
        posts = Posteriors(splits, torch.cat(gauss), torch.cat(values), self.num_gauss)
        score = torch.cat(scores)
        if not torch.isfinite(score.sum()):
            raise ValueError("the log-likelihood of a frame is not finite")
        return posts, score

    def accumulate(self, frames: Tensor) -> GmmStats:
        """Collect the EM statistics of (T, D) frames for the full mixture."""
        posteriors, loglikes = self.align_and_score(frames)
        return GmmStats(*moments(frames, posteriors), loglikes.double().sum())

    def _weigh(self, frames: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield (B, K) Gaussians and their log-likelihoods, block by block."""
        if self.dense:
            every = torch.arange(self.num_gauss, device=frames.device)[None]
            for x in frames.split(CHUNK[frames.device.type]):
                yield every, matmul(products(x), self.projection)
        else:
            for x in frames.split(BLOCK):
                chosen = self.diag.select(x, self.num_gselect)
                yield chosen, self._pair_loglikes(x, chosen)

    def _pair_loglikes(self, frames: Tensor, chosen: Tensor) -> Tensor:
        """(B, D) frames, (B, K) Gaussians -> (B, K) full-covariance log-likelihoods."""
        x1 = append_one(frames)
        num_pairs = chosen.numel()
        distance = frames.new_empty(num_pairs + 1)  # the last one takes the padding
        for gauss, pairs in tiles(chosen.flatten(), self.num_gauss):
            rows = (pairs // chosen.shape[1]).clamp_(max=len(frames) - 1)
            x = x1.index_select(0, rows.flatten()).view(*pairs.shape, -1)
            y = matmul(x, self.factor.index_select(0, gauss))  # (N, H, D)
            distance[pairs] = torch.linalg.vector_norm(y, dim=2)
        distance = distance[:num_pairs].view_as(chosen)
        return self.constant[chosen] - 0.5 * distance.square_()
