"""Load audio and features of lhotse cuts as arrays, and check them."""

from __future__ import annotations

import logging
import os
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from asdkit.base.distributed import share
from asdkit.base.errors import DataError
from asdkit.batches.kept_audio import find_kept, piece_of
from asdkit.data.manifest_rules import is_safe_name
from asdkit.features.cmn import sliding_cmn
from asdkit.io.ark import load_array, read_scp
from asdkit.io.audio import open_audio, open_stream, read_samples, require_sound
from asdkit.io.paths import relative_hint

if TYPE_CHECKING:
    from lhotse import MonoCut, Recording
    from lhotse.audio.backend import AudioBackend

logger = logging.getLogger(__name__)

# How many seconds lhotse may make up or cut off where a file is not as long as its
# manifest says.  Resampling needs some; with lhotse's own 0.5, half of a chunk of a
# second could be its mirror image.
os.environ.setdefault("LHOTSE_AUDIO_DURATION_MISMATCH_TOLERANCE", "0.025")


def load_samples(cut: MonoCut) -> np.ndarray:
    """Load the audio of a cut through lhotse, with whatever transforms it carries.

    Returns:
        (L,) float32.

    Raises:
        DataError: the file is missing, damaged, cut short or not what the manifest
            says, or a sample is NaN or infinite.
    """
    from lhotse.audio import audio_backend
    from lhotse.audio.utils import AudioLoadingError, DurationMismatchError

    for source in cut.recording.sources:
        if source.type == "file" and not is_safe_name(source.source):
            problem = "lhotse would hand this name to a shell"
            hint = "rename it: no blanks, quotes or other special characters of shells"
            raise DataError(source.source, problem, hint=hint)
    try:
        with audio_backend(_libsndfile()):
            samples = cut.load_audio()[0]
    except (AudioLoadingError, DurationMismatchError, OSError, RuntimeError) as error:
        raise _explain(cut, error) from None
    require_sound(cut.recording.sources[0].source, samples, f"{cut.id!r} ")
    return samples


@cache
def _libsndfile() -> AudioBackend:
    """Let lhotse read audio with libsndfile alone, as `asdkit.io.audio` does.

    Its own choice runs sph2pipe for SPHERE files, and imports torchaudio to decide who
    reads what a command has written.
    """
    from lhotse.audio.backend import CompositeAudioBackend, LibsndfileBackend
    from lhotse.utils import compute_num_samples

    class Libsndfile(LibsndfileBackend):
        def handles_special_case(self, path_or_fd: object) -> bool:
            return False

        def read_audio(
            self,
            path_or_fd: object,
            offset: float = 0.0,
            duration: float | None = None,
            force_opus_sampling_rate: int | None = None,
        ) -> tuple[np.ndarray, int]:
            def span(rate: int) -> tuple[int, int]:
                size = -1 if duration is None else compute_num_samples(duration, rate)
                return compute_num_samples(offset, rate), size

            stream = path_or_fd if isinstance(path_or_fd, BytesIO) else str(path_or_fd)
            if isinstance(stream, str) and (found := find_kept(stream)):
                return piece_of(found.samples, *span(found.rate)), found.rate
            with open_stream(str(path_or_fd), stream) as file:
                start, size = span(file.samplerate)
                file.seek(start)
                samples = file.read(size, dtype="float32", always_2d=True)
                return samples.T, file.samplerate

    return CompositeAudioBackend([Libsndfile()])


def load_piece(cut: MonoCut, num_samples: int, rng: np.random.Generator) -> np.ndarray:
    """Load a random piece of a cut, which is repeated if it is shorter.

    Args:
        cut: of audio.
        num_samples: L.
        rng: random generator of the position.

    Returns:
        (L,) float32.

    Raises:
        DataError: the audio cannot be loaded.
    """
    room = cut.num_samples - num_samples
    if room > 0:
        rate = cut.sampling_rate
        start = int(rng.integers(room + 1))
        cut = cut.truncate(
            offset=start / rate, duration=num_samples / rate, preserve_id=True
        )
    samples = load_samples(cut)
    return samples if len(samples) == num_samples else np.resize(samples, num_samples)


def at_rate(cuts: Iterable[MonoCut], sampling_rate: int) -> list[MonoCut]:
    """Have lhotse resample cuts of other rates, and log how many there are.

    Args:
        cuts: of audio.
        sampling_rate: in Hz.
    """
    cuts = list(cuts)
    others = Counter(x.sampling_rate for x in cuts if x.sampling_rate != sampling_rate)
    if others:
        logger.info(
            "audio: %d of %d recordings are resampled to %d Hz, from %s",
            others.total(),
            len(cuts),
            sampling_rate,
            ", ".join(f"{rate} Hz ({n})" for rate, n in sorted(others.items())),
        )
    return [
        cut if cut.sampling_rate == sampling_rate else cut.resample(sampling_rate)
        for cut in cuts
    ]


def require_audio(cuts: Sequence[MonoCut]) -> None:
    """Check early that the audio files exist; each rank checks its share.

    Raises:
        DataError: some are not.
    """
    sources = {
        source.source
        for cut in share(cuts)
        for source in cut.recording.sources
        if source.type == "file"
    }
    missing = sorted(path for path in sources if not Path(path).is_file())
    if missing:
        raise DataError(
            missing[0],
            f"no such file ({len(missing)} of {len(sources)} are missing)",
            hint=relative_hint(missing[0]) or "asdkit data-validate names them",
        )


def load_feats(
    cut: MonoCut, location: str, dim: int, cmn_window: int = 0
) -> np.ndarray:
    """Load the stored features of a cut, without the frames its VAD rejects.

    Args:
        cut: from `read_cuts`.
        location: location from `locate_feats`.
        dim: the required D.
        cmn_window: frames of the sliding window whose mean is subtracted, before frames
            are left out; 0: none.

    Returns:
        (T, D) float32.

    Raises:
        DataError: they are missing, damaged or hold NaN; they have another dimension
            or length, or VAD has another length.
    """
    feats = load_array(cut.id, location)
    if feats.ndim != 2 or not len(feats) or feats.shape[1] != dim:
        problem = f"{cut.id!r}: expected frames of {dim} numbers, got {feats.shape}"
        raise DataError(location, problem)
    if not np.isfinite(feats).all():
        raise DataError(
            location,
            f"{cut.id!r} holds NaN or infinity",
            hint="asdkit data-validate names every such utterance",
        )
    vad = (cut.custom or {}).get("vad")
    if vad is not None:
        voiced = load_array(cut.id, vad) > 0
        if len(voiced) != len(feats):
            raise DataError(
                vad,
                f"{cut.id!r}: {len(voiced)} decisions for {len(feats)} frames",
                hint="run asdkit vad-compute again, on these features",
            )
    if len(feats) != cut.features.num_frames:
        wanted = cut.features.num_frames
        raise DataError(
            location,
            f"{cut.id!r}: expected {wanted} frames, as in utt2num_frames, got "
            f"{len(feats)}",
            hint="asdkit data-validate --fix true makes that table again",
        )
    if cmn_window:
        feats = sliding_cmn(feats, cmn_window, center=True)
    if vad is not None:
        feats = feats[voiced]
    return feats.astype(np.float32, copy=False)


def locate_feats(cuts: Iterable[MonoCut]) -> list[str]:
    """Look up the archive locations of the features of cuts.

    Raises:
        DataError: a cut has no features, or its table is missing or damaged.
    """
    tables: dict[str, dict[str, str]] = {}
    locations = []
    for cut in cuts:
        path, key = _table_of(cut), cut.features.storage_key
        if path not in tables:
            tables[path] = read_scp(path)
        if key not in tables[path]:
            raise DataError(path, f"{key!r} is not in it")
        locations.append(tables[path][key])
    return locations


def sum_up_feats(cuts: Sequence[MonoCut], number: int = 16) -> str:
    """Digest the stored features of some cuts, to tell them from others.

    Args:
        cuts: with features.
        number: number of cuts to read, spread over all.

    Returns:
        what differs where the features of these do.

    Raises:
        DataError: they are missing or damaged.
    """
    chosen = cuts[:: max(1, len(cuts) // number)]
    total = 0
    for cut, location in zip(chosen, locate_feats(chosen), strict=True):
        feats = load_array(cut.id, location)
        total = zlib.crc32(f"{cut.id} {feats.shape}".encode(), total)
        total = zlib.crc32(np.ascontiguousarray(feats).data, total)
    return f"features with checksum {total}"


def _table_of(cut: MonoCut) -> str:
    """Tell which feats.scp lists the features of a cut."""
    if cut.features is None or cut.features.storage_type != "kaldiio":
        raise DataError(cut.id, "this cut has no features in a feats.scp")
    return cut.features.storage_path


def _explain(cut: MonoCut, error: Exception) -> DataError:
    """Find out why lhotse could not load a cut's audio."""
    source = cut.recording.sources[0]
    is_command = source.type == "command"
    try:
        with open_audio(source.source, is_command, allow_pipes=is_command) as file:
            read_samples(file, source.source)
            rate, sec = file.samplerate, file.frames / file.samplerate
    except DataError as found:
        return found
    listed_rate, listed_sec = _as_listed(cut.recording)
    if rate != listed_rate:
        problem = f"expected {listed_rate} Hz, as the manifest says, got {rate} Hz"
    elif abs(sec - listed_sec) > 1e-3:  # more than rounding
        problem = f"expected {listed_sec:.3f} s, as the manifest says, got {sec:.3f} s"
    else:
        problem = f"lhotse cannot load it: {str(error).strip().partition('. ')[0]}"
    return DataError(
        source.source,
        f"{cut.id!r}: {problem}",
        hint="the file has changed since it was listed; recreate the manifests",
    )


def _as_listed(recording: Recording) -> tuple[int, float]:
    """Return rate and seconds of a recording before its transforms."""
    from lhotse.augmentation import Resample, Speed

    rate, sec = recording.sampling_rate, recording.duration
    for transform in reversed(recording.transforms or []):
        if isinstance(transform, Resample):
            rate = transform.source_sampling_rate
        elif isinstance(transform, Speed):
            sec *= transform.factor
    return rate, sec
