"""Files that hold one object of Kaldi's, binary or text."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from asdkit.base.inputs import note_input
from asdkit.io.byte_streams import look_ahead, open_bytes
from asdkit.io.kaldi_binary import BINARY, BinaryReader
from asdkit.io.kaldi_text import TextReader
from asdkit.io.tables import PathName


@contextlib.contextmanager
def open_object(path: PathName) -> Iterator[BinaryReader | TextReader]:
    """Open a file that holds one Kaldi object, binary or text, and nothing else.

    Raises:
        DataError: the file is missing, damaged, or has something after the object.
    """
    note_input(path)
    with open_bytes(path) as stream:
        reader: BinaryReader | TextReader
        if look_ahead(stream, len(BINARY)) == BINARY:
            reader = BinaryReader(path, stream)
            reader.take(2)
        else:
            reader = TextReader(path, stream.read())
        yield reader
        reader.end()
