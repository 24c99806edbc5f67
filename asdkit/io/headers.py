"""Headers of many sound files at once: rate, length and channels."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from asdkit.base.errors import DataError
from asdkit.base.inputs import note_inputs
from asdkit.io.audio import open_audio, read_samples

NUM_THREADS = 16  # most of the time goes into waiting for the disk


class Header(NamedTuple):
    """What a sound file says of itself."""

    sampling_rate: int
    num_samples: int
    num_channels: int


def read_header(
    source: str, is_command: bool = False, check_end: bool = False
) -> Header:
    """Read the header of anything libsndfile reads.

    Args:
        source: path of a sound file, or a shell command that writes one to stdout.
        is_command: run ``source``; True only where the user has allowed it.
        check_end: read the last sample, too, which a file cut short has not.

    Raises:
        DataError: as `open_audio` does, and `read_samples` for the last sample.
    """
    with open_audio(source, is_command, allow_pipes=is_command) as file:
        if check_end:
            read_samples(file, source, start=(file.frames - 1) / file.samplerate)
        return Header(file.samplerate, file.frames, file.channels)


def read_headers(
    sources: Mapping[str, tuple[str, bool]], check_end: bool = False
) -> tuple[dict[str, Header], dict[str, DataError]]:
    """Read many headers at once.

    Args:
        sources: id -> source and whether it is a command.
        check_end: read the last sample, too, which a file cut short has not.

    Returns:
        the headers, and what is wrong with those that cannot be read; both by id.
    """
    note_inputs(lambda: (x for x, is_command in sources.values() if not is_command))
    with ThreadPoolExecutor(NUM_THREADS) as pool:
        try:
            trying = functools.partial(_try, check_end=check_end)
            answers = list(pool.map(trying, sources.values()))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    headers: dict[str, Header] = {}
    errors: dict[str, DataError] = {}
    for key, answer in zip(sources, answers, strict=True):
        if isinstance(answer, Header):
            headers[key] = answer
        else:
            errors[key] = answer
    return headers, errors


def _try(source: tuple[str, bool], check_end: bool) -> Header | DataError:
    """Read a header or return what is wrong."""
    try:
        return read_header(*source, check_end)
    except DataError as error:
        return error
