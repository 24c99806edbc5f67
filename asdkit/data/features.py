"""Compute the features of a data directory and record how."""

from __future__ import annotations

import dataclasses
import json
import logging
import zlib
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import numpy as np
import soundfile
import torch

from asdkit.base.distributed import all_reduce, is_main, share
from asdkit.base.errors import DataError
from asdkit.base.memory import keep_freed
from asdkit.base.progress import watch
from asdkit.base.provenance import provenance
from asdkit.base.ranges import Natural
from asdkit.data.derived import origin_of_audio
from asdkit.data.feats_info import INFO, FeatsInfo
from asdkit.data.manifests import Utterance, read_utterances
from asdkit.data.staging import stage
from asdkit.features.framing import Features
from asdkit.features.registry import name_of
from asdkit.io.ark import ArkWriter
from asdkit.io.audio import open_audio, read_samples
from asdkit.io.files import write_atomic
from asdkit.io.origins import note_origins
from asdkit.io.resampling import resample
from asdkit.io.tables import PathName, read_table, write_table

logger = logging.getLogger(__name__)
Item = TypeVar("Item")
Answer = TypeVar("Answer")

LOUDEST = 1e3  # samples beyond, where 1 is full scale, are no sound
TINY = 1e-3  # how small a default counts as when a value is compared with it
SPEECH_FEATURE = 2  # Kaldi's number for 8 bits per value, its own --compress=true


def compute_features(
    data_dir: PathName,
    out_dir: PathName,
    extractor: Features,
    seed: Natural = 0,
    compress: bool = False,
    allow_pipes: bool = False,
    allow_downsample: bool = True,
    allow_upsample: bool = True,
) -> None:
    """Write feats.ark, feats.scp and feats.json; feats.scp goes into data_dir, too.

    All ranks take part, each with as many threads as torch has.  The noise of dither
    depends on the utterance's id and the seed, not on who computes it.

    Args:
        data_dir: data directory with both manifests; gets feats.scp and utt2num_frames.
        out_dir: directory for the archive.
        extractor: extractor to run.
        seed: random seed for dither.
        compress: store 8 bits per value instead of 32.
        allow_pipes: run recordings that are shell commands (wav.scp lines ending in a
            pipe).
        allow_downsample: resample audio of a higher sampling rate; false: refuse it.
        allow_upsample: resample audio of a lower sampling rate; false: refuse it.

    Raises:
        DataError: audio is missing or damaged, its rate is refused, or more
            utterances are too short for a frame than are not.
    """
    keep_freed()
    utterances, origin = read_utterances(data_dir), origin_of_audio(data_dir)
    recordings: dict[tuple[str, bool], list[int]] = {}
    for index, utterance in enumerate(utterances):
        source = (utterance.source, utterance.is_command)
        recordings.setdefault(source, []).append(index)
    rates_allowed = _rates(extractor, allow_downsample, allow_upsample)

    def compute(indices: list[int]) -> tuple[list[int], list[np.ndarray], int]:
        mine = [utterances[index] for index in indices]
        seeds = [(zlib.crc32(u.utt.encode()) + seed) % 2**32 for u in mine]
        feats, rate = _compute(mine, seeds, extractor, allow_pipes, rates_allowed)
        return indices, feats, rate

    num_frames = torch.zeros(len(utterances), dtype=torch.int64)
    rates = torch.zeros(len(utterances), dtype=torch.int64)
    method = SPEECH_FEATURE if compress else None
    mine = share(list(recordings.values()))
    answers = _run_threads(compute, mine)
    with ArkWriter(out_dir, "feats", method, origin) as writer, closing(answers):
        for indices, feats, rate in watch(answers, len(mine), "feats-compute"):
            for index, matrix in zip(indices, feats, strict=True):
                num_frames[index], rates[index] = len(matrix), rate
                if len(matrix):
                    writer[utterances[index].utt] = matrix
        all_reduce(num_frames)
        all_reduce(rates)
        utts = [utterance.utt for utterance in utterances]
        utt2num_frames = dict(zip(utts, num_frames.tolist(), strict=True))
        _report(data_dir, extractor, utt2num_frames, rates.tolist())
    if is_main():
        _write_info(out_dir, extractor, seed)
        with stage(data_dir) as staged:
            write_table(staged / "feats.scp", read_table(writer.scp))
            kept = {utt: t for utt, t in utt2num_frames.items() if t}
            write_table(staged / "utt2num_frames", kept)
            origin.archives[str(out_dir)] = origin.of
            note_origins(data_dir, {"feats.scp": origin}, staged)


def _write_info(out_dir: PathName, extractor: Features, seed: int) -> None:
    """Write what `read_info` reads, and where the features came from."""
    options = {**extractor.options, "seed": seed}
    info = FeatsInfo(name_of(extractor), extractor.dim, options)
    with write_atomic(Path(out_dir) / INFO) as stream:
        json.dump(info._asdict() | {"provenance": provenance()}, stream, indent=2)
        stream.write("\n")


def _rates(extractor: Features, down: bool, up: bool) -> tuple[float, float]:
    """The lowest and highest sampling rate allowed for audio."""
    rate = extractor.sample_frequency
    return (0 if up else rate), (float("inf") if down else rate)


def _compute(
    utterances: Sequence[Utterance],
    seeds: Sequence[int],
    extractor: Features,
    allow_pipes: bool,
    rates_allowed: tuple[float, float],
) -> tuple[list[np.ndarray], int]:
    """Compute the features of one recording's utterances, and return its rate."""
    source, wanted = utterances[0].source, int(extractor.sample_frequency)
    with open_audio(source, utterances[0].is_command, allow_pipes) as file:
        rate = file.samplerate
        if not rates_allowed[0] <= rate <= rates_allowed[1]:
            option = "downsample" if rate > wanted else "upsample"
            raise DataError(
                source,
                f"expected {wanted} Hz, got {rate} Hz",
                hint=f"--allow-{option} true resamples it",
            )
        samples = (
            resample(_read(file, utterance), rate, wanted) for utterance in utterances
        )
        feats = extractor.batch(samples, seeds)
        for utterance, matrix in zip(utterances, feats, strict=True):
            if not np.isfinite(matrix).all():
                peak = np.abs(_read(file, utterance)).max()
                raise _nonfinite(utterance, matrix, extractor, float(peak))
        return feats, rate


def _read(file: soundfile.SoundFile, utterance: Utterance) -> np.ndarray:
    """Read the samples of an utterance from its open recording."""
    where = utterance.start, utterance.duration, utterance.channel
    return read_samples(file, utterance.source, *where)


def _nonfinite(
    utterance: Utterance, feats: np.ndarray, extractor: Features, peak: float
) -> DataError:
    """Name utterances with non-finite features, and the likely cause."""
    row = int(np.argmin(np.isfinite(feats).all(axis=1)))
    problem = f"the features of {utterance.utt!r} are not finite, first in frame {row}"
    if peak > LOUDEST:
        hint = f"its samples reach {peak:.3g}, where full scale is 1: convert it"
        return DataError(utterance.source, problem, hint=hint)
    far = {}
    for field in dataclasses.fields(extractor):
        value, default = getattr(extractor, field.name), field.default
        if isinstance(value, float) and isinstance(default, float) and value != default:
            # How far from its default, in orders of magnitude.
            ratio = (abs(value) + TINY) / (abs(default) + TINY)
            far[f"--{field.name.replace('_', '-')} {value:g}"] = abs(np.log(ratio))
    options = sorted(far, key=far.__getitem__, reverse=True)[:3]
    suspects = f"is it {', '.join(options)}?" if options else None
    return DataError(utterance.source, problem, hint=suspects)


def _run_threads(
    function: Callable[[Item], Answer], items: Iterable[Item]
) -> Generator[Answer, None, None]:
    """Map a function over items in threads; results come in order.

    Threads do, because reading and computing leave the interpreter alone; one torch
    thread in each, because many small operations share badly.
    """
    num_threads = torch.get_num_threads()
    waiting: deque[Future[Answer]] = deque()
    pool = ThreadPoolExecutor(num_threads, "feats", torch.set_num_threads, (1,))
    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > 4 * num_threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(num_threads)


def _report(
    data_dir: PathName,
    extractor: Features,
    utt2num_frames: dict[str, int],
    rates: Sequence[int],
) -> None:
    """Log what was computed, resampled and skipped."""
    short = [utt for utt, t in utt2num_frames.items() if not t]
    num_utts, rate = len(utt2num_frames), extractor.sample_frequency
    if 2 * len(short) > num_utts:
        raise DataError(
            data_dir,
            f"{len(short)} of {num_utts} utterances are shorter than one frame of "
            f"{1000 * extractor.window_size / rate:g} ms: {' '.join(short[:10])}",
            hint="asdkit data-validate says more",
        )
    logger.info(
        "features: %d utterances, %d frames of %d numbers (%.2f hours)",
        num_utts - len(short),
        sum(utt2num_frames.values()),
        extractor.dim,
        sum(utt2num_frames.values()) * extractor.window_shift / rate / 3600,
    )
    wanted = int(extractor.sample_frequency)
    others = Counter(rate for rate in rates if rate != wanted)
    if others:
        logger.info(
            "features: %d of %d utterances resampled to %d Hz, from %s",
            others.total(),
            num_utts,
            wanted,
            ", ".join(f"{rate} Hz ({n})" for rate, n in sorted(others.items())),
        )
    if short:
        logger.warning(
            "features: %d of %d utterances skipped, shorter than one frame: %s",
            len(short),
            num_utts,
            " ".join(short[:10]) + (" ..." if len(short) > 10 else ""),
        )
