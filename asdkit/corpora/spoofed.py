"""Make spoofed copies of bona fide corpora with known attacks.

A spoof depends on the utterance's id, the attack and the seed, not on rank or order: N
ranks write the same files as one, and an interrupted run resumes with the missing
files.
"""

from __future__ import annotations

import json
import logging
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from asdkit.base.distributed import barrier, is_main, share
from asdkit.base.errors import AsdkitError, DataError
from asdkit.base.inputs import refuse_overwriting
from asdkit.base.memory import keep_freed
from asdkit.base.names import place_files
from asdkit.base.progress import watch
from asdkit.base.provenance import commit
from asdkit.base.ranges import Names, Natural, NonNegative
from asdkit.batches.cut_arrays import load_samples, require_audio
from asdkit.batches.noises import recording_of
from asdkit.corpora.changed import Rooms
from asdkit.corpora.spoof_plan import (
    PerUtterance,
    Spoof,
    gender_of,
    is_bonafide,
    plan_spoofs,
    rng_of,
)
from asdkit.data.cuts import read_cuts, speaker_of
from asdkit.data.directory import require_another
from asdkit.data.manifests import SUPERVISIONS, files_of, write_manifests
from asdkit.io.audio import write_flac
from asdkit.io.files import keep_what_fits
from asdkit.io.headers import read_headers
from asdkit.io.origins import describe
from asdkit.io.protocols import BONAFIDE
from asdkit.io.resampling import resample
from asdkit.io.tables import PathName
from asdkit.simulation.attacks import ATTACKS, Attack, Material
from asdkit.simulation.equalizing import equalize as pass_chain
from asdkit.simulation.equalizing import floor_of, speech_length

if TYPE_CHECKING:
    from lhotse import MonoCut

logger = logging.getLogger(__name__)

STAMP = "spoof.json"  # says what the audio beside it was made of, and how
WORDS_PER_SEC = 4.0  # that a fast synthesizer reads
PAUSES = 0.25  # for each word, where a speaker's transcripts are read on


class Chain(NamedTuple):
    """The last steps of both classes, as `asdkit.simulation.equalizing.equalize`.

    Attributes:
        speech_sec: longest speech; 0: all of it.
        in_rooms: whether each is in a room drawn for it.
    """

    speech_sec: float = 0.0
    in_rooms: bool = False


def write_spoofed(
    data_dir: PathName,
    out_dir: PathName,
    audio_dir: PathName,
    attacks: Mapping[str, str],
    per_utterance: PerUtterance = "all",
    with_bonafide: bool = True,
    seed: Natural = 0,
    allow_pipes: bool = False,
    environments: Names = "",
    equalize: bool = False,
    speech_sec: NonNegative = 0.0,
    in_rooms: bool = False,
) -> None:
    """Make spoofs of the speakers of a data directory, and list them in another.

    Only what is bona fide is imitated: what has no attack, or this one.  Features,
    VAD and trials are not carried along.

    Args:
        data_dir: with manifests and audio.
        out_dir: the new data directory.
        audio_dir: folder for ``<spk>/<utt>-<attack>.flac``; each rank writes its share.
        attacks: id -> attack.
        per_utterance: attacks per utterance: all of them, or one, two or three, with
            each attack equally often.
        with_bonafide: include the original utterances.
        seed: random seed of the attacks: voices, rooms and noise.
        allow_pipes: run recordings that are shell commands (wav.scp lines ending in a
            pipe).
        environments: environments of replays, e.g. aaa,bbc or all; the same seed gives
            an utterance the same environment as in room-apply; empty: any room.
        equalize: pass both classes through the same high-pass, silences, levels, noise
            floor and dither; the originals are written, too.
        speech_sec: longest speech of both classes in seconds, where they are equalized;
            each is cut to between half of this and this, or to the length of what was
            imitated, and synthesizers read on in the speaker's transcripts; 0: all.
        in_rooms: put both classes in rooms, drawn alike, where they are equalized.

    Raises:
        DataError: audio is missing or damaged, or would be replaced; nothing is bona
            fide, or ids cannot be names of files.
        AsdkitError: an attack can be made on no utterance, a program that it needs
            fails, an attack is not heard in a room, or options contradict each other.
    """
    require_another(out_dir, data_dir)
    rooms = Rooms(environments, seed) if environments else None
    chain = _chain(equalize, with_bonafide, speech_sec, in_rooms)
    if rooms:
        _require_rooms(attacks, with_bonafide)
    listed = list(read_cuts(data_dir, features=False, allow_pipes=allow_pipes))
    cuts = _bonafide(listed, data_dir)
    spoofs = plan_spoofs([*cuts.values()], attacks, per_utterance, seed, rooms)
    counts = Counter(spoof.attack for spoof in spoofs)
    if equalize:
        spoofs = sorted(spoofs + [Spoof(utt, BONAFIDE, utt) for utt in cuts])
    names = {x.utt: (speaker_of(cuts[x.victim]), x.utt) for x in spoofs}
    paths = place_files(audio_dir, names, ".flac", data_dir)
    refuse_overwriting(paths.values(), files_of(cut.recording for cut in listed))
    if is_main():
        stamp = _stamp(spoofs, cuts, attacks, seed)
        stamp["audio"] = describe(data_dir, ["sizes"]).get("sizes")
        stamp |= {"equalize": [*chain]} if chain else {}
        keep_what_fits(Path(audio_dir) / STAMP, stamp, paths.values())
    barrier()
    _make_missing(Maker(cuts, attacks, seed, chain), share(spoofs), paths)
    barrier()
    if is_main():
        originals = cuts if with_bonafide and not equalize else {}
        _write_directory(out_dir, spoofs, originals, cuts, paths, bool(speech_sec))
    shown = ", ".join(f"{count} {label}" for label, count in sorted(counts.items()))
    logger.info("spoof: %d bona fide utterances, spoofs: %s", len(cuts), shown)


def _bonafide(listed: Sequence[MonoCut], data_dir: PathName) -> dict[str, MonoCut]:
    """Return the utterances to imitate; raise if there are none, or without audio."""
    cuts = {cut.id: cut for cut in listed if is_bonafide(cut.supervisions[0])}
    if not cuts:
        raise DataError(data_dir, "expected bona fide utterances, got none")
    require_audio([*cuts.values()])
    return cuts


def _make_missing(
    maker: Maker, spoofs: Sequence[Spoof], paths: Mapping[str, str]
) -> None:
    """Write the files that are not there yet."""
    keep_freed()
    for spoof in watch(spoofs, len(spoofs), "spoof-simulate"):
        path = Path(paths[spoof.utt])
        if not path.exists():
            rate = maker.cuts[spoof.victim].sampling_rate
            write_flac(path, maker.make(spoof), rate)


def _chain(
    equalize: bool, with_bonafide: bool, speech_sec: float, in_rooms: bool
) -> Chain | None:
    """Return the last steps of both classes, None for none; refuse contradictions."""
    if equalize and not with_bonafide:
        raise AsdkitError("--equalize true is for both classes: --with-bonafide true")
    if (speech_sec or in_rooms) and not equalize:
        raise AsdkitError("--speech-sec and --in-rooms are steps of --equalize true")
    return Chain(speech_sec, in_rooms) if equalize else None


class Maker:
    """Make the audio of spoofs, and of bona fide speech that passes the chain.

    Args:
        cuts: bona fide utterances.
        attacks: id -> attack.
        seed: of all draws.
        chain: last steps of both classes; None: none.
    """

    def __init__(
        self,
        cuts: Mapping[str, MonoCut],
        attacks: Mapping[str, str],
        seed: int,
        chain: Chain | None = None,
    ) -> None:
        self.cuts = cuts
        self.attacks = attacks
        self.seed = seed
        self.chain = chain
        self._of_spk: dict[str, list[str]] = {}
        for utt, cut in cuts.items():
            self._of_spk.setdefault(speaker_of(cut), []).append(utt)

    def make(self, spoof: Spoof) -> np.ndarray:
        """Make the audio of a spoof, or of a bona fide utterance: (L,) float32."""
        victim = self.cuts[spoof.victim]
        original, rate = load_samples(victim), victim.sampling_rate
        other = np.zeros(0, np.float32)
        if spoof.other:
            cut = self.cuts[spoof.other]
            other = resample(load_samples(cut), cut.sampling_rate, rate)
        samples, attack = original, None
        if spoof.attack != BONAFIDE:
            attack = ATTACKS[self.attacks[spoof.attack]]
            samples = self._attack(spoof, attack, original, other)
        if self.chain is None:
            return samples
        rng = rng_of(self.seed, f"{spoof.utt} chain")
        if attack and attack.needs_text:  # its speech is clean, nobody else's is
            samples = samples + floor_of(original, rate, len(samples), rng)
        said = other if spoof.other else original
        longest_sec = speech_length(said, rate) if self.chain.speech_sec else np.inf
        return pass_chain(samples, rate, rng, *self.chain, longest_sec)

    def _attack(
        self, spoof: Spoof, attack: Attack, original: np.ndarray, other: np.ndarray
    ) -> np.ndarray:
        """Run an attack: (L,) float32, at the victim's rate."""
        victim = self.cuts[spoof.victim]
        material = Material(
            samples=original,
            sample_frequency=victim.sampling_rate,
            text=self._text(spoof.victim),
            gender=gender_of(victim),
            other=other,
            environment=spoof.environment or None,
        )
        # A synthesizer has one voice for a speaker, whatever he says.
        name = f"{speaker_of(victim)} {spoof.attack}"
        return attack(
            material, rng_of(self.seed, name if attack.needs_text else spoof.utt)
        )

    def _text(self, utt: str) -> str:
        """Return the transcript, and more of the speaker's if speech is to be cut.

        Where one would read on without a breath, commas make pauses as readers do.
        """
        words = (self.cuts[utt].supervisions[0].text or "").split()
        wanted = self.chain.speech_sec * WORDS_PER_SEC if self.chain else 0
        if not words or not wanted:
            return " ".join(words)
        utts = self._of_spk[speaker_of(self.cuts[utt])]
        place = utts.index(utt) + 1
        for following in utts[place:] + utts[:place]:
            if len(words) >= wanted:
                break
            words += (self.cuts[following].supervisions[0].text or "").split()
        pauses = rng_of(self.seed, f"{utt} pauses").random(len(words)) < PAUSES
        return " ".join(x + "," * int(y) for x, y in zip(words, pauses, strict=True))


def _require_rooms(attacks: Mapping[str, str], with_bonafide: bool) -> None:
    """Raise unless all listed utterances are in the environments."""
    for name in attacks.values():
        if not ATTACKS[name].in_room:
            raise AsdkitError(f"--environments: expected replays only, got {name!r}")
    if with_bonafide:
        raise AsdkitError(
            "--environments: replays are in rooms, but the originals are not",
            hint="--with-bonafide false, and asdkit room-apply for the originals",
        )


def _stamp(
    spoofs: Sequence[Spoof],
    cuts: Mapping[str, MonoCut],
    attacks: Mapping[str, str],
    seed: int,
) -> dict[str, Any]:
    """Describe everything the audio depends on, except its sources."""
    plan = [
        (*spoof, x.recording.sources[0].source, x.start, x.duration)
        for spoof in spoofs
        for x in (cuts[spoof.victim],)
    ]
    return {
        "commit": commit(),
        "attacks": dict(attacks),
        "seed": seed,
        "plan": zlib.crc32(json.dumps(plan).encode()),
    }


def _write_directory(
    out_dir: PathName,
    spoofs: Sequence[Spoof],
    originals: Mapping[str, MonoCut],
    cuts: Mapping[str, MonoCut],
    paths: Mapping[str, str],
    is_cut: bool,
) -> None:
    """List spoofs, and originals, with all their known attributes.

    What is cut is not all of its text, and has none.
    """
    from lhotse import SupervisionSegment
    from lhotse.utils import fastcopy

    headers, errors = read_headers({utt: (path, False) for utt, path in paths.items()})
    if errors:
        raise next(iter(errors.values()))
    recordings = {utt: recording_of(utt, paths[utt], headers[utt]) for utt in paths}
    supervisions = []
    for spoof in spoofs:
        victim = cuts[spoof.victim].supervisions[0]
        said = cuts[spoof.other or spoof.victim].supervisions[0]
        made = {"attack": spoof.attack}
        if spoof.environment:
            made["environment"] = spoof.environment
        supervisions.append(
            SupervisionSegment(
                id=spoof.utt,
                recording_id=spoof.utt,
                start=0.0,
                duration=recordings[spoof.utt].duration,
                speaker=victim.speaker,
                gender=victim.gender,
                language=victim.language,
                text=None if is_cut else said.text,
                custom={**(victim.custom or {}), **made},
            )
        )
    for cut in originals.values():
        recordings[cut.recording.id] = cut.recording
        original = cut.supervisions[0].with_offset(cut.start)
        custom = {**(original.custom or {}), "attack": BONAFIDE}
        supervisions.append(fastcopy(original, custom=custom))
    if len({item.id for item in supervisions}) < len(supervisions):
        problem = "a spoof would have the id of an utterance that is there"
        raise DataError(SUPERVISIONS, problem, hint="choose other --ids")
    write_manifests(out_dir, recordings.values(), supervisions, replaces=True)
