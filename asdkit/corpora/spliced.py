"""Make partially spoofed corpora from bona fide utterances and their spoofs.

Which parts are spoofed is owned by the supervision, ``custom["spoofed"]``: pairs of
seconds from the utterance's beginning.  The attack is that of what was spliced in.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from asdkit.base.distributed import barrier, is_main, share
from asdkit.base.errors import DataError
from asdkit.base.inputs import refuse_overwriting
from asdkit.base.names import place_files
from asdkit.base.progress import watch
from asdkit.base.ranges import Natural
from asdkit.batches.cut_arrays import load_samples, require_audio
from asdkit.batches.noises import recording_of
from asdkit.data.cuts import attack_of, read_cuts, speaker_of
from asdkit.data.directory import require_another
from asdkit.data.manifests import files_of, write_manifests
from asdkit.io.audio import write_flac
from asdkit.io.headers import read_header
from asdkit.io.protocols import BONAFIDE
from asdkit.io.tables import PathName
from asdkit.simulation.splicing import Splicer

if TYPE_CHECKING:
    from lhotse import MonoCut, Recording, SupervisionSegment

logger = logging.getLogger(__name__)


class Splice(NamedTuple):
    """A partial spoof to be made.

    Attributes:
        bonafide: the bona fide utterance to overwrite.
        spoof: the spoof to insert.
        plan: see `asdkit.simulation.splicing.Splicer.plan`.
    """

    bonafide: MonoCut
    spoof: MonoCut
    plan: np.ndarray

    @property
    def utt(self) -> str:
        """Id of the new utterance."""
        return f"{self.bonafide.id}-spliced"


def write_spliced(
    data_dir: PathName,
    out_dir: PathName,
    audio_dir: PathName,
    splicer: Splicer,
    with_bonafide: bool = True,
    seed: Natural = 0,
) -> None:
    """Make a partial spoof of every bona fide utterance that has a matching spoof.

    Stretches come from a spoof of the same speaker.  Files depend on ids and the seed,
    not on who writes them.

    Args:
        data_dir: data directory with audio and attacks.
        out_dir: the new data directory.
        audio_dir: folder for ``<spk>/<utt>-spliced.flac``; each rank writes its share.
        splicer: draws stretches.
        with_bonafide: include the original utterances.
        seed: random seed of the stretches and their spoofs.

    Raises:
        DataError: no speaker has bona fide and spoofed utterances, an attack is
            unknown, or audio is missing or damaged, or would be replaced; or ids
            cannot be names of files.
    """
    require_another(out_dir, data_dir)
    cuts = list(read_cuts(data_dir, features=False))
    require_audio(cuts)
    splices = _plan(cuts, splicer, seed)
    originals = [cut for cut in cuts if attack_of(cut) == BONAFIDE]
    if not splices:
        problem = "no speaker has both bona fide and spoofed utterances long enough"
        raise DataError(data_dir, problem)
    names = {x.utt: (speaker_of(x.bonafide), x.utt) for x in splices}
    paths = place_files(audio_dir, names, ".flac", data_dir)
    sources = files_of(cut.recording for cut in cuts)
    mine = share(splices)
    refuse_overwriting((paths[x.utt] for x in mine), sources)
    for splice in watch(mine, len(mine), "spoof-splice"):
        rate = splice.bonafide.sampling_rate
        both = load_samples(splice.bonafide), load_samples(splice.spoof)
        samples = splicer.apply(*both, splice.plan, rate)
        write_flac(paths[splice.utt], samples, rate)
    barrier()
    if is_main():
        _write_directory(out_dir, splices, originals if with_bonafide else [], paths)
    logger.info(
        "splice: %d of %d bona fide utterances got spoofed stretches",
        len(splices),
        len(originals),
    )


def _plan(cuts: Sequence[MonoCut], splicer: Splicer, seed: int) -> list[Splice]:
    """Draw a spoof of the same speaker for every bona fide utterance, and stretches."""
    spoofs: dict[str, list[MonoCut]] = defaultdict(list)
    for cut in cuts:
        if attack_of(cut) != BONAFIDE:
            spoofs[speaker_of(cut)].append(cut)
    splices = []
    for cut in cuts:
        spk = speaker_of(cut)
        if attack_of(cut) != BONAFIDE or not spoofs[spk]:
            continue
        rng = np.random.default_rng([seed, *cut.id.encode()])
        spoof = spoofs[spk][rng.integers(len(spoofs[spk]))]
        if spoof.sampling_rate != cut.sampling_rate:
            spoof = spoof.resample(cut.sampling_rate)
        sizes = cut.num_samples, spoof.num_samples
        plan = splicer.plan(*sizes, cut.sampling_rate, rng)
        if len(plan):
            splices.append(Splice(cut, spoof, plan))
    return splices


def _write_directory(
    out_dir: PathName,
    splices: Sequence[Splice],
    originals: Sequence[MonoCut],
    paths: Mapping[str, str],
) -> None:
    """List splices and originals with all their known attributes."""
    from lhotse.utils import fastcopy

    recordings: dict[str, Recording] = {}
    supervisions: list[SupervisionSegment] = []
    for splice in splices:
        utt, path = splice.utt, paths[splice.utt]
        header = read_header(path)
        recordings[utt] = recording_of(utt, path, header)
        spoofed = splice.plan[:, :2] / header.sampling_rate
        custom = {"attack": attack_of(splice.spoof), "spoofed": spoofed.tolist()}
        original = splice.bonafide.supervisions[0]
        supervisions.append(
            fastcopy(
                original,
                id=utt,
                recording_id=utt,
                start=0.0,
                duration=recordings[utt].duration,
                channel=0,
                custom={**(original.custom or {}), **custom},
            )
        )
    for cut in originals:
        recordings[cut.recording.id] = cut.recording
        supervisions.append(cut.supervisions[0].with_offset(cut.start))
    write_manifests(out_dir, recordings.values(), supervisions, replaces=True)
