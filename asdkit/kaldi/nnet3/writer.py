"""Write a raw nnet3 network as text, which every program of nnet3 reads.

Numbers have as many digits as it takes for them to come back as they were; Kaldi's own
text has seven.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from asdkit.io.files import write_atomic
from asdkit.io.tables import PathName
from asdkit.kaldi.nnet3.fields import kind_of
from asdkit.nnet.nnet3.components import Component, attribute


def write_nnet3(
    path: PathName,
    nodes: Sequence[str],
    components: Iterable[tuple[str, str, Component]],
) -> None:
    """Write a network, atomically.

    Args:
        path: by Kaldi's convention final.raw.
        nodes: a line for each.
        components: name, type and component.
    """
    described = list(components)
    with write_atomic(path, "wb") as stream:
        stream.write(b"<Nnet3> \n")
        for line in (*nodes, ""):
            stream.write(f"{line}\n".encode())
        stream.write(f"<NumComponents> {len(described)} \n".encode())
        for name, kind, component in described:
            stream.write(f"<ComponentName> {name} <{kind}> ".encode())
            for piece in _fields(kind, component):
                stream.write(piece)
            stream.write(f"</{kind}> \n".encode())
        stream.write(b"</Nnet3> ")


def _fields(kind: str, component: Component) -> Iterator[bytes]:
    """Yield the fields of a component."""
    for token, value in component.fields:
        yield f"<{token}> ".encode()
        if isinstance(value, Mapping):
            array = getattr(component, attribute(token))
            yield _array(array.detach().cpu().numpy())
        elif kind_of(kind, token) == "integers":
            yield f"[ {' '.join(map(str, value))} ]\n".encode()
        elif kind_of(kind, token) != "":
            values = value if isinstance(value, (list, tuple)) else [value]
            yield "".join(f"{_number(x)} " for x in values).encode()


def _number(value: Any) -> str:
    """Format a number, T or F."""
    if isinstance(value, bool):
        return "T" if value else "F"
    return repr(value)


def _array(array: np.ndarray) -> bytes:
    """Format a vector, or a matrix with a line for each row."""
    if not array.size:
        return b" [ ]\n"
    rows = array.reshape(-1, array.shape[-1]).tolist()
    lines = ["".join(f"{x:.9g} " for x in row) for row in rows]
    if array.ndim == 1:
        return f" [ {lines[0]}]\n".encode()
    return (" [" + "".join(f"\n  {line}" for line in lines) + "]\n").encode()
