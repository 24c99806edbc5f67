"""On-disk cache of a frozen teacher's outputs, shared by its students."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from asdkit.base.errors import DataError
from asdkit.io.checksums import DAMAGES, verify_zip
from asdkit.io.files import write_atomic
from asdkit.io.tables import PathName
from asdkit.nnet.network import Network

logger = logging.getLogger(__name__)
DIGEST_BYTES = 20


class CachedNetwork(Network):
    """A frozen network that computes the embeddings of each batch only once.

    Training batches depend on the data, their options and the seed, but not on the
    student, so a teacher gets the same ones with every student and objective.  What
    it says is filed under a digest of all that it depends on: the teacher's weights,
    every number of the batch, the arithmetic.  Nothing is ever out of date, then, and
    several trainings may share a directory, be killed, and go on.  Only the rounding
    is that of the machine that came first.

    Embeddings are kept, 4 E bytes for every chunk; logits follow from them by one
    product, and depend on the student's classes.

    Args:
        network: network to run for new batches.
        options: "network" of its file, i.e. its name and its constructor's arguments.
        directory: root of the cache, with a folder for each teacher.
        max_gb: maximum size of this teacher's folder.
    """

    def __init__(
        self,
        network: Network,
        options: Mapping[str, Any],
        directory: PathName,
        max_gb: float,
    ) -> None:
        super().__init__(network.feat_dim, network.embedding_dim)
        self.min_frames = network.min_frames
        self.network = network
        self._identity = _identity(network, options)
        self.directory = Path(directory) / self._identity.hex()[:16]
        if old := [*self.directory.glob("*/*.npy")]:
            logger.warning(
                "teacher: ignored %d files without a checksum, from an older "
                "version; find %s -name '*.npy' -delete removes them",
                len(old),
                self.directory,
            )
        sizes = [path.stat().st_size for path in self.directory.glob("*/*.npz")]
        self._room = int(max_gb * 1e9) - sum(sizes)
        logger.info(
            "teacher: %d batches are cached, %.1f MB: %s",
            len(sizes),
            sum(sizes) / 1e6,
            self.directory,
        )

    def forward(self, feats: Tensor, num_frames: Tensor | None = None) -> Tensor:
        """(N, T, D) features, (N,) lengths -> (N, E) float32, as the network does.

        Raises:
            DataError: a file of the cache is damaged.
            ValueError: as the network does.
        """
        path = self._path_of(feats, num_frames)
        known = _read(path)
        if known is not None:
            return torch.from_numpy(known).to(feats.device)
        embeddings = self.network(feats, num_frames).float()
        if self._room > 0:
            with write_atomic(path, "wb") as stream:
                np.savez(stream, embeddings=embeddings.cpu().numpy())
            self._room -= path.stat().st_size
            if self._room <= 0:
                logger.warning("teacher: the cache %s is full", self.directory)
        return embeddings

    def _path_of(self, feats: Tensor, num_frames: Tensor | None) -> Path:
        """Name the file of a batch after everything the embeddings depend on."""
        kind = feats.device.type
        arithmetic = None
        if torch.is_autocast_enabled(kind):
            arithmetic = str(torch.get_autocast_dtype(kind))
        lengths = None if num_frames is None else num_frames.tolist()
        about = [kind, arithmetic, str(feats.dtype), list(feats.shape), lengths]
        digest = hashlib.blake2b(self._identity, digest_size=DIGEST_BYTES)
        digest.update(json.dumps(about).encode())
        digest.update(_bytes_of(feats))
        name = digest.hexdigest()
        return self.directory / name[:2] / f"{name[2:]}.npz"


def _identity(network: Network, options: Mapping[str, Any]) -> bytes:
    """Digest a network: its type and every weight."""
    digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
    digest.update(json.dumps([torch.__version__, options], sort_keys=True).encode())
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(_bytes_of(tensor))
    return digest.digest()


def _bytes_of(tensor: Tensor) -> memoryview:
    """Return what a tensor's numbers are in memory."""
    return tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().data


def _read(path: Path) -> np.ndarray | None:
    """Read embeddings; None if they are not there."""
    try:
        verify_zip(path)
        with np.load(path, allow_pickle=False) as file:
            return file["embeddings"]
    except FileNotFoundError:
        return None
    except DAMAGES as error:
        raise DataError(
            path, f"damaged: {error}", hint="delete it; it will be recomputed"
        ) from None
