"""Small networks of nnet3, as files and by their definition."""

import math

import numpy as np
import pytest

FEAT_DIM = 3


class Oracle:
    """A network by its definition: a node is a function of t, None where undefined.

    Descriptors are written as Kaldi writes them, which is Python, too.
    """

    def __init__(self, feats):
        self.names = {
            "input": lambda t: feats[t] if 0 <= t < len(feats) else None,
            "Offset": lambda f, by: lambda t: f(t + by),
            "Round": lambda f, by: lambda t: f(math.floor(t / by) * by),
            "ReplaceIndex": lambda f, _, value: lambda t: f(value),
            "Scale": lambda by, f: self.join(f, then=lambda x: by * x),
            "Const": lambda value, dim: lambda t: np.full(dim, value),
            "Append": lambda *fs: self.join(*fs, then=lambda *x: np.concatenate(x)),
            "Sum": lambda *fs: self.join(*fs, then=lambda *x: sum(x)),
            "IfDefined": self.if_defined,
            "Failover": lambda f, g: lambda t: g(t) if f(t) is None else f(t),
            "t": "t",
        }

    def if_defined(self, f):
        some = next(x for t in range(-50, 50) if (x := f(t)) is not None)
        return lambda t: np.zeros_like(some) if f(t) is None else f(t)

    def join(self, *fs, then):
        def joined(t):
            values = [f(t) for f in fs]
            return None if any(x is None for x in values) else then(*values)

        return joined

    def parse(self, descriptor):
        return eval(descriptor, {}, self.names)

    def add(self, name, descriptor, function=lambda x: x):
        """A node whose component maps frame by frame."""
        found, known = self.join(self.parse(descriptor), then=function), {}
        self.names[name] = lambda t: known.setdefault(t, found(t))

    def add_timed(self, name, descriptor, function):
        """A node whose component maps the function of time itself."""
        found, known = function(self.parse(descriptor)), {}
        self.names[name] = lambda t: known.setdefault(t, found(t))


def array(x):
    """As Kaldi writes it in text."""
    x = np.asarray(x)
    if x.ndim == 1:
        return f" [ {' '.join(map(repr, x.tolist()))} ]\n"
    rows = "\n  ".join(" ".join(map(repr, row)) for row in x.tolist())
    return f" [\n  {rows} ]\n"


@pytest.fixture
def oracle():
    return Oracle


@pytest.fixture
def text():
    """Write arrays as text."""
    return array


@pytest.fixture
def raw(tmp_path):
    """Write a raw network as text: descriptions of nodes, and of components by name."""

    def write(nodes, components, name="final.raw"):
        path = tmp_path / name
        parts = [
            f"<ComponentName> {name} <{kind}> {fields}</{kind}> \n"
            for name, (kind, fields) in components.items()
        ]
        lines = "\n".join(nodes)
        path.write_text(
            f"<Nnet3> \n{lines}\n\n<NumComponents> {len(parts)} \n"
            + "".join(parts)
            + "</Nnet3> "
        )
        return path

    return write
