"""Read a raw nnet3 network: ``final.raw``, binary or text, with its configuration."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from asdkit.base.errors import DataError
from asdkit.io.tables import PathName, read_lines
from asdkit.kaldi.nnet3.fields import kind_of
from asdkit.kaldi.nnet3.streams import BinaryFields, TextFields, open_fields
from asdkit.nnet.nnet3.components import attribute
from asdkit.nnet.nnet3.nnet3_network import COMPONENTS
from asdkit.nnet.nnet3.node_graph import merged, parse_node, parse_pairs

MOST_COMPONENTS = 100_000
Fields = BinaryFields | TextFields


class Nnet3File(NamedTuple):
    """A raw network as it is stored.

    Attributes:
        nodes: a line for each.
        components: "name", "type" and "fields" of each, see
            `asdkit.nnet.nnet3.components.Component`.
        arrays: number of a component and attribute -> float32 array.
    """

    nodes: list[str]
    components: list[dict[str, Any]]
    arrays: dict[tuple[int, str], np.ndarray]

    @property
    def graph(self) -> dict[str, Any]:
        """The argument that `asdkit.nnet.nnet3.nnet3_network.Nnet3` is built from."""
        return {"nodes": self.nodes, "components": self.components}


def read_nnet3(path: PathName) -> Nnet3File:
    """Read a raw network.

    Raises:
        DataError: missing, damaged, not a raw network, or with a component or a node
            that is not supported, which is named.
    """
    with open_fields(path) as reader:
        if (kind := reader.peek()) != "<Nnet3>":
            hint = None
            if kind == "<TransitionModel>":
                hint = (
                    "nnet3-am-copy --raw=true final.mdl final.raw makes a raw network"
                )
            problem = f"expected a raw network, <Nnet3>, got {kind[:20]!r}"
            raise DataError(path, problem, hint=hint)
        reader.expect("<Nnet3>")
        if rest := reader.line().strip():
            reader.fail(f"expected the end of the line, got {rest!r}")
        nodes = []
        while line := reader.line():  # only an empty one is the end
            if not (line := without_comment(line)):
                continue
            try:
                parse_node(line)
            except ValueError as error:
                _refuse(reader, str(error))
            nodes.append(line)
        reader.expect("<NumComponents>")
        if not 0 <= (count := reader.integer()) < MOST_COMPONENTS:
            reader.fail(f"expected a number of components, got {count}")
        found = Nnet3File(nodes, [], {})
        for number in range(count):
            _read_component(reader, number, found)
        reader.expect("</Nnet3>")
    return found


def without_comment(line: str) -> str:
    """Leave out what follows ``#``, and blanks around the rest.

    Example:
        >>> without_comment(" input-node name=input dim=30  # MFCC")
        'input-node name=input dim=30'
    """
    return line.partition("#")[0].strip()


def _refuse(reader: Fields, problem: str) -> None:
    """Raise for what is not damage, but not supported."""
    if isinstance(reader, TextFields):
        line = reader.data.count(b"\n", 0, reader.place)
        raise DataError(reader.path, problem, line=line)
    raise DataError(reader.path, f"byte {reader.position}: {problem}")


def _read_component(reader: Fields, number: int, file: Nnet3File) -> None:
    """Read a component, and add it to what was read."""
    reader.expect("<ComponentName>")
    name = reader.token("the name of a component")
    opening = reader.token("the type of a component")
    kind = opening.strip("<>")
    if opening != f"<{kind}>" or kind not in COMPONENTS:
        shown = kind if kind.isidentifier() else repr(kind[:40])
        problem = f"component {name!r} is a {shown}, which is not supported"
        _refuse(reader, f"{problem}; see tools/from_kaldi.md")
    fields: list[list[Any]] = []
    ends = (f"</{kind}>", f"<{kind}>")  # some versions close as they open
    while True:
        word = reader.token(f"the end of component {name!r}")
        if word in ends:
            break
        token = word.strip("<>")
        what = kind_of(kind, token) if word == f"<{token}>" else None
        if what is None:
            _refuse(
                reader, f"component {name!r}, a {kind}: unknown field {word[:40]!r}"
            )
        fields.append([token, _read_value(reader, number, token, what or "", file)])
    file.components.append({"name": name, "type": kind, "fields": fields})


def _read_value(
    reader: Fields, number: int, token: str, what: str, file: Nnet3File
) -> Any:
    """Read a field; an array is kept apart, and described by its shape."""
    match what:
        case "array":
            array = np.asarray(reader.array(), np.float32)
            if not np.isfinite(array).all():
                reader.fail(f"<{token}> holds NaN or infinity")
            file.arrays[number, attribute(token)] = array
            return {"shape": [*array.shape]}
        case "integer":
            return reader.integer()
        case "real":
            return reader.real()
        case "boolean":
            return reader.boolean()
        case "integers":
            return reader.integers()
        case "two integers":
            return [reader.integer(), reader.integer()]
        case "two reals":
            return [reader.real(), reader.real()]
    return True


def read_config(path: PathName, nodes: list[str]) -> list[str]:
    """Read nodes to lay over those of a network, as ``--nnet-config`` does.

    Args:
        path: e.g. extract.config, which makes ``tdnn6.affine`` the output.
        nodes: of the network, which these must fit.

    Returns:
        the lines of the nodes.

    Raises:
        DataError: it is malformed, or adds what needs numbers it does not have.
    """
    changes = []
    for number, line in enumerate(read_lines(path), start=1):
        if not (text := without_comment(line)):
            continue
        try:
            if parse_pairs(text)[0] == "component":
                raise ValueError(
                    f"expected nodes only; a new component has no numbers, got {text!r}"
                )
            changes.append(text)
            merged(nodes, changes)
        except ValueError as error:
            raise DataError(path, str(error), line=number) from None
    return changes
