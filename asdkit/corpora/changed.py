"""Data directories with a processed copy of another's audio."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from asdkit.base.distributed import barrier, is_main, share
from asdkit.base.errors import AsdkitError
from asdkit.base.inputs import refuse_overwriting
from asdkit.base.names import place_files
from asdkit.base.progress import watch
from asdkit.base.ranges import Decibels, Names, Natural
from asdkit.batches.augmentation import Noises, add_noise
from asdkit.batches.cut_arrays import load_samples, require_audio
from asdkit.batches.noises import recording_of
from asdkit.data.cuts import read_cuts, speaker_of
from asdkit.data.derived import check_derived
from asdkit.data.directory import (
    COMPUTED,
    ids_of,
    kind_of,
    read_carried,
    require_another,
    restrict,
)
from asdkit.data.manifests import Manifests, files_of, read_manifests, write_manifests
from asdkit.io.audio import write_flac
from asdkit.io.headers import read_headers
from asdkit.io.tables import PathName
from asdkit.simulation.attacks import match_level
from asdkit.simulation.channels import CHANNELS
from asdkit.simulation.rooms import ENVIRONMENTS, hear

if TYPE_CHECKING:
    from lhotse import MonoCut

logger = logging.getLogger(__name__)


class NoiseAdder:
    """Add noise at one signal-to-noise ratio, different noise to every utterance.

    Energies are those of the whole utterance, its pauses included.  What an utterance
    gets depends on its id and the seed, not on who asks nor in which order.

    Args:
        noises: makes a noise source for a sampling rate in Hz; the SNRs it suggests are
            ignored.
        snr_db: signal-to-noise ratio in dB.
        seed: random seed of the noise.
    """

    def __init__(
        self,
        noises: Callable[[int], Noises],
        snr_db: Decibels = 10.0,
        seed: Natural = 0,
    ) -> None:
        self.noises = noises
        self.snr_db = snr_db
        self.seed = seed
        self._of_rate: dict[int, Noises] = {}

    def __call__(self, utt: str, samples: np.ndarray, sampling_rate: int) -> np.ndarray:
        """(L,) -> (L,) float32, at a lower level if it would clip."""
        if sampling_rate not in self._of_rate:
            self._of_rate[sampling_rate] = self.noises(sampling_rate)
        rng = np.random.default_rng([self.seed, *utt.encode()])
        noise, _ = self._of_rate[sampling_rate].draw(len(samples), rng)
        mixed = add_noise(samples, noise, self.snr_db)
        return mixed / np.float32(max(1.0, np.abs(mixed).max(initial=0)))


class Codecs:
    """Pass every utterance through a codec drawn for it.

    Args:
        codecs: codecs to draw from, comma-separated; none leaves an utterance as it is.
        seed: random seed of the draws.

    Raises:
        AsdkitError: there is no such codec.
    """

    def __init__(self, codecs: Names = "alaw,ulaw,gsm,opus", seed: Natural = 0) -> None:
        self.codecs = codecs.split(",")
        self.seed = seed
        for name in self.codecs:
            if name != "none" and name not in CHANNELS:
                known = ", ".join(["none", *CHANNELS])
                raise AsdkitError(f"--codecs: expected some of {known}; got {name!r}")

    def codec_of(self, utt: str) -> str:
        """Draw the codec of an utterance, always the same one."""
        rng = np.random.default_rng([self.seed, *utt.encode()])
        return self.codecs[rng.integers(len(self.codecs))]

    def __call__(self, utt: str, samples: np.ndarray, sampling_rate: int) -> np.ndarray:
        """(L,) -> (L,) float32."""
        name = self.codec_of(utt)
        return samples if name == "none" else CHANNELS[name](samples, sampling_rate)


class Rooms:
    """Add room reverberation to every utterance, in an environment drawn for it.

    Args:
        environments: environments to draw from, comma-separated, e.g. aaa,bbc; all:
            every one of them.
        seed: random seed of the draws.

    Raises:
        AsdkitError: there is no such environment.
    """

    def __init__(self, environments: Names = "all", seed: Natural = 0) -> None:
        self.environments = environments.split(",")
        if environments == "all":
            self.environments = [*ENVIRONMENTS]
        self.seed = seed
        for name in self.environments:
            if name not in ENVIRONMENTS:
                raise AsdkitError(
                    "--environments: expected all, or some of aaa, aab, ..., ccc; "
                    f"got {name!r}"
                )

    def environment_of(self, utt: str) -> str:
        """Draw the environment of an utterance, always the same one."""
        rng = np.random.default_rng([self.seed, *utt.encode()])
        return self.environments[rng.integers(len(self.environments))]

    def __call__(self, utt: str, samples: np.ndarray, sampling_rate: int) -> np.ndarray:
        """(L,) -> (L,) float32, as loud as before, without clipping."""
        environment = self.environment_of(utt)
        rng = np.random.default_rng([self.seed, *f"{utt} {environment}".encode()])
        return match_level(hear(samples, sampling_rate, rng, environment), samples)


def write_changed(
    data_dir: PathName,
    out_dir: PathName,
    audio_dir: PathName,
    change: Callable[[str, np.ndarray, int], np.ndarray],
    allow_pipes: bool = False,
    note: Callable[[str], dict[str, str]] = lambda utt: {},
) -> None:
    """Process the audio of every utterance, write it, and list it in a data directory.

    Every utterance becomes a recording of its own.  What else is known of it, its
    speaker, text, attack and trials, is carried along; features and VAD are not.

    Args:
        data_dir: with manifests and audio.
        out_dir: the new data directory.
        audio_dir: folder for ``<spk>/<utt>.flac``; each rank writes its share.
        change: utterance id, (L,) float32 samples, sampling rate -> (L',) float32.
        allow_pipes: run recordings that are shell commands (wav.scp lines ending in a
            pipe).
        note: utterance id -> additional fields of its supervision, e.g. its codec.

    Raises:
        DataError: audio is missing or damaged, or would be replaced; or ids cannot be
            names of files.
    """
    require_another(out_dir, data_dir)
    cuts = list(read_cuts(data_dir, features=False, allow_pipes=allow_pipes))
    require_audio(cuts)
    names = {cut.id: (speaker_of(cut), cut.id) for cut in cuts}
    paths = place_files(audio_dir, names, ".flac", data_dir)
    sources = files_of(cut.recording for cut in cuts)
    refuse_overwriting(share([*paths.values()]), sources)
    mine = share(cuts)
    for cut in watch(mine, len(mine), "audio"):
        samples = change(cut.id, load_samples(cut), cut.sampling_rate)
        write_flac(paths[cut.id], samples, cut.sampling_rate)
    barrier()
    if is_main():
        _write_directory(data_dir, out_dir, cuts, paths, note)
    logger.info("audio: %d utterances written to %s", len(cuts), audio_dir)


def _write_directory(
    data_dir: PathName,
    out_dir: PathName,
    cuts: Sequence[MonoCut],
    paths: dict[str, str],
    note: Callable[[str], dict[str, str]],
) -> None:
    """List files of one utterance each, with all known attributes of the utterances."""
    from lhotse.utils import fastcopy

    headers, errors = read_headers({utt: (path, False) for utt, path in paths.items()})
    if errors:
        raise next(iter(errors.values()))
    known = check_derived(data_dir, without=COMPUTED)
    manifests = read_manifests(data_dir)
    recordings = {utt: recording_of(utt, paths[utt], headers[utt]) for utt in paths}
    supervisions = {}
    for cut in cuts:
        before = manifests.supervisions[cut.id]
        custom = {**(before.custom or {}), **note(cut.id)}
        supervisions[cut.id] = fastcopy(
            before,
            recording_id=cut.id,
            start=0.0,
            duration=recordings[cut.id].duration,
            channel=0,
            custom=custom or None,
        )
    tables = {
        name: lines
        for name, lines in read_carried(data_dir).items()
        if name not in COMPUTED and kind_of(name) != "reco"
    }
    after = ids_of(Manifests(recordings, supervisions))
    carried = restrict(tables, ids_of(manifests), after)
    items = recordings.values(), supervisions.values()
    write_manifests(out_dir, *items, carried, known, replaces=True)
