"""Sources of noise and rooms: recordings (e.g. MUSAN), or simulation.

Every choice is made by the generator that is passed in.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy import fft

from asdkit.base.errors import DataError
from asdkit.base.inputs import note_inputs
from asdkit.batches.cut_arrays import at_rate, load_piece, load_samples, require_audio
from asdkit.data.manifests import files_of, read_items
from asdkit.io.headers import Header, read_headers, tell_channels
from asdkit.io.tables import PathName, read_table
from asdkit.simulation.sessions import NUM_KNOTS, room_response, smooth_gain

if TYPE_CHECKING:
    from lhotse import MonoCut, Recording

logger = logging.getLogger(__name__)

# Lowest and highest signal-to-noise ratio of each kind of noise, in dB.
# Source: WeSpeaker's recipes, after Kaldi's egs/voxceleb/v2/run.sh.
SNR_DB = {"noise": (0.0, 15.0), "music": (5.0, 15.0), "speech": (10.0, 30.0)}
BABBLE = (3, 7)  # fewest and most voices, as in Kaldi


class DrawnRooms:
    """Simulated rooms: exponentially decaying noise.

    Args:
        min_sec: shortest reverberation time, for a fall by 60 dB.
        max_sec: longest.
        min_direct_db: lowest level of the direct sound against all echoes.
        max_direct_db: highest.
        sample_frequency: in Hz.
    """

    def __init__(
        self,
        min_sec: float = 0.1,
        max_sec: float = 0.8,
        min_direct_db: float = -3.0,
        max_direct_db: float = 12.0,
        sample_frequency: int = 16000,
    ) -> None:
        self.secs = (min_sec, max_sec)
        self.direct_dbs = (min_direct_db, max_direct_db)
        self.sample_frequency = sample_frequency

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """(L,) float32 impulse response."""
        sec, direct_db = rng.uniform(*self.secs), rng.uniform(*self.direct_dbs)
        return room_response(sec, direct_db, rng, self.sample_frequency)


class DrawnNoises:
    """Stationary noise of random color and, given speech to make it from, babble.

    Args:
        speech: (L,) float32 noise at any level, and the SNR in dB to add it at.
        sample_frequency: in Hz.
    """

    def __init__(
        self, speech: Sequence[MonoCut] = (), sample_frequency: int = 16000
    ) -> None:
        self.speech = speech
        self.sample_frequency = sample_frequency

    def draw(
        self, num_samples: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, float]:
        """(L,) float32 noise of any level, and the SNR in dB to add it with."""
        if self.speech and rng.random() < 0.5:
            babble = draw_babble(self.speech, num_samples, rng)
            return babble, rng.uniform(*SNR_DB["speech"])
        return self._color(num_samples, rng), rng.uniform(*SNR_DB["noise"])

    def _color(self, num_samples: int, rng: np.random.Generator) -> np.ndarray:
        """Draw a smooth spectrum, then noise that has it."""
        size = fft.next_fast_len(num_samples, real=True)
        num_bins = size // 2 + 1
        tilt_db = np.linspace(0, rng.uniform(-40, 0), NUM_KNOTS)
        knots_db = tilt_db + rng.normal(0, 4, NUM_KNOTS)
        frequencies = fft.rfftfreq(size, 1 / self.sample_frequency)
        gain = smooth_gain(knots_db, frequencies.astype(np.float32))
        spectrum = rng.standard_normal(2 * num_bins, np.float32).view(np.complex64)
        return fft.irfft(gain * spectrum, size)[:num_samples]


class RecordedRooms:
    """Impulse responses from files, e.g. RIRS_NOISES.

    Args:
        directory: see `read_recordings`.
        sample_frequency: in Hz; others are resampled.
    """

    def __init__(self, directory: PathName, sample_frequency: int = 16000) -> None:
        self.cuts = _read_cuts(directory, sample_frequency)

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """(L,) float32 impulse response."""
        return load_samples(self.cuts[rng.integers(len(self.cuts))])


class RecordedNoises:
    """Noise, music and speech from files, e.g. MUSAN.

    The kind of a recording is the beginning of its id, as in MUSAN; what begins
    otherwise is noise.  The three kinds are equally likely.  Several recordings of
    speech are added up.

    Args:
        directory: see `read_recordings`.
        sample_frequency: in Hz; others are resampled.
    """

    def __init__(self, directory: PathName, sample_frequency: int = 16000) -> None:
        cuts = defaultdict(list)
        for cut in _read_cuts(directory, sample_frequency):
            kinds = (kind for kind in SNR_DB if cut.id.startswith(kind))
            cuts[next(kinds, "noise")].append(cut)
        self.cuts = {kind: cuts[kind] for kind in SNR_DB if kind in cuts}
        counts = ", ".join(f"{len(cuts)} of {kind}" for kind, cuts in self.cuts.items())
        logger.info("augmentation: %s: recordings: %s", directory, counts)

    def draw(
        self, num_samples: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, float]:
        """(L,) float32 noise of any level, and the SNR in dB to add it with."""
        kind = list(self.cuts)[rng.integers(len(self.cuts))]
        snr_db = rng.uniform(*SNR_DB[kind])
        if kind == "speech":
            return draw_babble(self.cuts[kind], num_samples, rng), snr_db
        cut = self.cuts[kind][rng.integers(len(self.cuts[kind]))]
        return load_piece(cut, num_samples, rng), snr_db


def draw_babble(
    speech: Sequence[MonoCut], num_samples: int, rng: np.random.Generator
) -> np.ndarray:
    """Add up several voices of equal energy: (L,) float32."""
    low, high = BABBLE
    babble = np.zeros(num_samples, np.float32)
    for _ in range(rng.integers(low, high + 1)):
        cut = speech[int(rng.integers(len(speech)))]
        voice = load_piece(cut, num_samples, rng)
        babble += voice / max(float(np.linalg.norm(voice)), 1e-6)
    return babble


def read_recordings(directory: PathName) -> list[Recording]:
    """Read which recordings a directory lists.

    Args:
        directory: with lhotse manifests (``*recordings*.jsonl.gz``, as lhotse's
            prepare_musan writes them, or a data directory's), else with Kaldi's
            wav.scp, whose commands are refused.

    Raises:
        DataError: there are none, a manifest or a header is damaged, or a file is
            missing.
    """
    from lhotse import Recording

    paths = sorted(Path(directory).glob("*recordings*.jsonl.gz"))
    recordings = [
        recording
        for path in paths
        for recording in read_items(path, Recording).values()
    ]
    if not paths and (Path(directory) / "wav.scp").exists():
        recordings = _read_wavs(Path(directory) / "wav.scp")
    note_inputs(lambda: files_of(recordings))
    for recording in recordings:
        if any(source.type == "command" for source in recording.sources):
            raise DataError(
                directory, f"{recording.id!r}: expected a file, got a command"
            )
    if not recordings:
        raise DataError(
            directory, "expected *recordings*.jsonl.gz or wav.scp, got neither"
        )
    return recordings


def _read_wavs(path: Path) -> list[Recording]:
    """Make recordings of the files in wav.scp."""
    wavs = read_table(path)
    headers, errors = read_headers({reco: (wav, False) for reco, wav in wavs.items()})
    if errors:
        raise next(iter(errors.values()))
    return [recording_of(reco, wavs[reco], header) for reco, header in headers.items()]


def recording_of(reco: str, path: str, header: Header) -> Recording:
    """Describe a sound file whose header was read."""
    from lhotse import AudioSource, Recording

    return Recording(
        id=reco,
        sources=[AudioSource("file", list(range(header.num_channels)), path)],
        sampling_rate=header.sampling_rate,
        num_samples=header.num_samples,
        duration=header.num_samples / header.sampling_rate,
    )


def _read_cuts(directory: PathName, sampling_rate: int) -> list[MonoCut]:
    """Make a cut of the first channel of each recording, at the rate in use."""
    from lhotse import MonoCut

    recordings = sorted(read_recordings(directory), key=lambda item: item.id)
    cuts = [
        MonoCut(item.id, 0.0, item.duration, item.channel_ids[0], recording=item)
        for item in recordings
    ]
    headers = {
        item.id: Header(item.sampling_rate, item.num_samples, item.num_channels)
        for item in recordings
    }
    tell_channels(headers, ((cut.id, 0) for cut in cuts))
    require_audio(cuts)
    return at_rate(cuts, sampling_rate)
