"""The file of a universal background model: ``ubm.npz``."""

from __future__ import annotations

from asdkit.features.frontend import FrontEnd
from asdkit.gmm.ubm import Ubm
from asdkit.io.store import building, load_arrays, save_arrays
from asdkit.io.tables import PathName


def save_ubm(path: PathName, ubm: Ubm, frontend: FrontEnd) -> None:
    """Write a UBM and its front end."""
    save_arrays(path, "Ubm", {"frontend": frontend.options}, ubm.state())


def load_ubm(path: PathName) -> tuple[Ubm, FrontEnd]:
    """Read what `save_ubm` wrote.

    Raises:
        DataError: missing, damaged, another kind of model, or without an array.
    """
    options, arrays = load_arrays(path, "Ubm")
    with building(path):
        return Ubm.of(arrays), FrontEnd(**options["frontend"])
