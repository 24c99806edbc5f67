"""Read the headers of many audio files at once: rate, length and channels."""

from __future__ import annotations

import functools
import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import NamedTuple

from asdkit.base.errors import DataError
from asdkit.base.inputs import NUM_THREADS, note_inputs
from asdkit.io.audio import open_audio, read_samples
from asdkit.io.lengths import STATE_LENGTH

logger = logging.getLogger(__name__)
BATCH = 32  # files per task; one for each file costs a quarter of the time


class Header(NamedTuple):
    """Header of a sound file.

    Attributes:
        sampling_rate: in Hz.
        num_samples: of each channel.
        num_channels: how many.
        decoded: the format, e.g. "MP3", if the samples were counted by decoding.
    """

    sampling_rate: int
    num_samples: int
    num_channels: int
    decoded: str = ""


def read_header(
    source: str, is_command: bool = False, check_end: bool = False
) -> Header:
    """Read the header of any file that libsndfile reads.

    Where a header does not state how long the sound is, as in MP3, it is decoded to the
    end, and what decodes is what counts.

    Args:
        source: path of a sound file, or a shell command that writes one to stdout.
        is_command: run ``source``; True only where the user has allowed it.
        check_end: read the last sample, too, which a truncated file lacks.

    Raises:
        DataError: as `open_audio` does, and `read_samples` for the last sample.
    """
    with open_audio(source, is_command, is_command, count_all=True) as file:
        if check_end:
            read_samples(file, source, start=(file.frames - 1) / file.samplerate)
        decoded = "" if file.format in STATE_LENGTH else file.format
        return Header(file.samplerate, file.frames, file.channels, decoded)


def read_headers(
    sources: Mapping[str, tuple[str, bool]], check_end: bool = False
) -> tuple[dict[str, Header], dict[str, DataError]]:
    """Read many headers at once.

    Args:
        sources: id -> source and whether it is a command.
        check_end: read the last sample, too, which a truncated file lacks.

    Returns:
        the headers, and what is wrong with those that cannot be read; both by id.
    """
    wanted = list(sources.values())
    size = min(BATCH, 1 + len(wanted) // (4 * NUM_THREADS))
    batches = [wanted[i : i + size] for i in range(0, len(wanted), size)]
    note_inputs(lambda: (x for x, is_command in sources.values() if not is_command))
    with ThreadPoolExecutor(NUM_THREADS) as pool:
        try:
            trying = functools.partial(_try, check_end=check_end)
            answers = list(pool.map(lambda batch: [*map(trying, batch)], batches))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    headers: dict[str, Header] = {}
    errors: dict[str, DataError] = {}
    for key, answer in zip(sources, chain.from_iterable(answers), strict=True):
        if isinstance(answer, Header):
            headers[key] = answer
        else:
            errors[key] = answer
    if decoded := Counter(x.decoded for x in headers.values() if x.decoded):
        logger.info(
            "audio: decoded %d of %d recordings to count their samples, as their "
            "headers give no reliable length: %s",
            decoded.total(),
            len(sources),
            ", ".join(f"{form} ({n})" for form, n in sorted(decoded.items())),
        )
    return headers, errors


def tell_channels(
    headers: Mapping[str, Header], used: Iterable[tuple[str, int]], cure: str = ""
) -> None:
    """Warn about recordings with unused channels.

    Args:
        headers: of recordings, by id.
        used: ids and channels, counted from 0; ids without a header are ignored.
        cure: how to choose other channels.
    """
    channels: dict[str, set[int]] = {}
    for key, channel in used:
        if key in headers and headers[key].num_channels > 1:
            channels.setdefault(key, set()).add(channel)
    sorts = Counter(
        (headers[key].num_channels, tuple(sorted(those)))
        for key, those in channels.items()
        if len(those) < headers[key].num_channels
    )
    if sorts:
        each = (
            f"channel {', '.join(map(str, those))} of {count} ({number})"
            for (count, those), number in sorted(sorts.items())
        )
        logger.warning(
            "audio: %d of %d recordings have unused channels; used: %s, "
            "counted from 0%s",
            *(sorts.total(), len(headers), ", ".join(each), cure and f"; {cure}"),
        )


def _try(source: tuple[str, bool], check_end: bool) -> Header | DataError:
    """Read a header, or return the error."""
    try:
        return read_header(*source, check_end)
    except DataError as error:
        return error
