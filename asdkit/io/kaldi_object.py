"""Files that hold one object of Kaldi's, binary or text."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar

from asdkit.base.inputs import note_input
from asdkit.io.byte_streams import look_ahead, open_bytes
from asdkit.io.kaldi_binary import BINARY, BinaryReader
from asdkit.io.kaldi_text import TextReader
from asdkit.io.tables import PathName


class Reader(Protocol):
    """A reader of an object in text form."""

    def end(self) -> None:
        """Check that nothing follows."""


Binary = TypeVar("Binary", bound=BinaryReader)
Text = TypeVar("Text", bound=Reader)


@contextlib.contextmanager
def open_either(
    path: PathName,
    binary: Callable[[PathName, io.BufferedReader], Binary],
    text: Callable[[PathName, bytes], Text],
) -> Iterator[Binary | Text]:
    """Open a file that holds one object and nothing else, through gzip if need be.

    Args:
        path: the file.
        binary: makes the reader of a binary file, from where its header ends.
        text: makes the reader of a text file, from all of it.

    Raises:
        DataError: the file is missing, damaged, or has something after the object.
    """
    note_input(path)
    with open_bytes(path) as stream:
        reader: Binary | Text
        if look_ahead(stream, len(BINARY)) == BINARY:
            reader = binary(path, stream)
            reader.take(len(BINARY))
        else:
            reader = text(path, stream.read())
        yield reader
        reader.end()


def open_object(
    path: PathName,
) -> contextlib.AbstractContextManager[BinaryReader | TextReader]:
    """Open a file that holds one of Kaldi's matrices or models; see `open_either`."""
    return open_either(path, BinaryReader, TextReader)
