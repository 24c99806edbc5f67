"""Make spoofed copies of bona fide corpora with known attacks.

A spoof depends on the utterance's id, the attack and the seed, not on rank or order: N
ranks write the same files as one, and an interrupted run resumes with the missing
files.
"""

from __future__ import annotations

import json
import logging
import zlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from asdkit.base.distributed import barrier, is_main, share
from asdkit.base.errors import AsdkitError, DataError
from asdkit.base.inputs import refuse_overwriting
from asdkit.base.memory import keep_freed
from asdkit.base.names import find_id_problem, place_files
from asdkit.base.progress import watch
from asdkit.base.provenance import commit
from asdkit.base.ranges import Names, Natural
from asdkit.batches.cut_arrays import load_samples, require_audio
from asdkit.batches.noises import recording_of
from asdkit.corpora.changed import Rooms
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
from asdkit.simulation.attacks import ATTACKS, MIN_SEC, Attack, Material
from asdkit.simulation.equalizing import equalize as pass_chain

if TYPE_CHECKING:
    from lhotse import MonoCut, SupervisionSegment

logger = logging.getLogger(__name__)

STAMP = "spoof.json"  # says what the audio beside it was made of, and how


class Spoof(NamedTuple):
    """A spoof to be made.

    Attributes:
        utt: its id.
        attack: id of the attack.
        victim: id of the utterance whose speaker is imitated.
        other: id of an utterance by another speaker; empty if the attack needs none.
        environment: environment of the replay; empty for any rooms.
    """

    utt: str
    attack: str
    victim: str
    other: str = ""
    environment: str = ""


def parse_attacks(
    attacks: Names = "lpc,griffin_lim", ids: Names = ""
) -> dict[str, str]:
    """Read two lists separated by commas: attacks, and ids for them.

    Args:
        attacks: attacks to make, separated by commas, e.g. ``lpc,world``.
        ids: attack ids in utt2attack, one per attack, e.g. A01,A02; empty: the attacks'
            own names.

    Returns:
        id -> attack.

    Raises:
        AsdkitError: there is no such attack, what it needs is not installed, or the
            ids are too few, too many, not one word each, or not different.
    """
    names = attacks.split(",")
    for name in names:
        if name not in ATTACKS:
            known = ", ".join(ATTACKS)
            raise AsdkitError(f"--attacks: expected some of {known}; got {name!r}")
        ATTACKS[name].check()
    labels = ids.split(",") if ids else names
    differ = len(set(labels)) == len(labels) == len(names) and BONAFIDE not in labels
    if not differ or any(
        x.split() != [x] or "/" in x or find_id_problem(x, "") for x in labels
    ):
        raise AsdkitError(
            f"--ids: expected {len(names)} different words, one for each of "
            f"{attacks}; got {ids or attacks!r}"
        )
    return dict(zip(labels, names, strict=True))


def plan_spoofs(
    cuts: Sequence[MonoCut],
    attacks: Mapping[str, str],
    per_utterance: Literal["all", "one"] = "all",
    seed: Natural = 0,
    rooms: Rooms | None = None,
) -> list[Spoof]:
    """Plan which attacks to make on which utterances.

    Args:
        cuts: of bona fide speech.
        attacks: id -> attack.
        per_utterance: every attack on every utterance, or one, all equally often.
        seed: of the draws.
        rooms: drawn environments of utterances and their replays; None for any rooms.

    Returns:
        spoofs, sorted by id; what nothing can be made of is left out and counted in
        the log.

    Raises:
        AsdkitError: an attack can be made on no utterance at all.
    """
    voices = _Voices(cuts)
    turns = np.random.default_rng(seed).permutation(len(cuts))
    skipped: dict[str, Counter[str]] = {label: Counter() for label in attacks}
    spoofs = []
    for cut, turn in zip(cuts, turns, strict=True):
        possible = []
        for label, name in attacks.items():
            problem = _obstacle(cut, ATTACKS[name], voices)
            if problem:
                skipped[label][problem] += 1
            else:
                possible.append(label)
        if per_utterance == "one" and possible:
            possible = [possible[turn % len(possible)]]
        for label in possible:
            utt, other = f"{cut.id}-{label}", ""
            if ATTACKS[attacks[label]].needs_other:
                other = voices.draw(cut, _rng(seed, utt))
            environment = rooms.environment_of(cut.id) if rooms else ""
            spoofs.append(Spoof(utt, label, cut.id, other, environment))
    for label, problems in skipped.items():
        said = ", ".join(f"{count} {problem}" for problem, count in problems.items())
        what = f"{label}: of {len(cuts)} utterances: {said}"
        if problems.total() == len(cuts):
            raise AsdkitError(what, hint="leave this attack out")
        if problems:
            logger.warning("spoof: %s: skipped", what)
    return sorted(spoofs)


def write_spoofed(
    data_dir: PathName,
    out_dir: PathName,
    audio_dir: PathName,
    attacks: Mapping[str, str],
    per_utterance: Literal["all", "one"] = "all",
    with_bonafide: bool = True,
    seed: Natural = 0,
    allow_pipes: bool = False,
    environments: Names = "",
    equalize: bool = False,
) -> None:
    """Make spoofs of the speakers of a data directory, and list them in another.

    Only what is bona fide is imitated: what has no attack, or this one.  Features,
    VAD and trials are not carried along.

    Args:
        data_dir: with manifests and audio.
        out_dir: the new data directory.
        audio_dir: folder for ``<spk>/<utt>-<attack>.flac``; each rank writes its share.
        attacks: id -> attack.
        per_utterance: attacks per utterance: all of them, or one, with each attack
            equally often.
        with_bonafide: include the original utterances.
        seed: random seed of the attacks: voices, rooms and noise.
        allow_pipes: run recordings that are shell commands (wav.scp lines ending in a
            pipe).
        environments: environments of replays, e.g. aaa,bbc or all; the same seed gives
            an utterance the same environment as in room-apply; empty: any room.
        equalize: pass both classes through the same high-pass, silences, levels, noise
            floor and dither; the originals are written, too.

    Raises:
        DataError: audio is missing or damaged, or would be replaced; nothing is bona
            fide, or ids cannot be names of files.
        AsdkitError: an attack can be made on no utterance, a program that it needs
            fails, or an attack is not heard in a room.
    """
    require_another(out_dir, data_dir)
    rooms = Rooms(environments, seed) if environments else None
    if equalize and not with_bonafide:
        raise AsdkitError("--equalize true is for both classes: --with-bonafide true")
    if rooms:
        _require_rooms(attacks, with_bonafide)
    listed = list(read_cuts(data_dir, features=False, allow_pipes=allow_pipes))
    cuts = {cut.id: cut for cut in listed if _is_bonafide(cut.supervisions[0])}
    if not cuts:
        raise DataError(data_dir, "expected bona fide utterances, got none")
    require_audio([*cuts.values()])
    spoofs = plan_spoofs([*cuts.values()], attacks, per_utterance, seed, rooms)
    counts = Counter(spoof.attack for spoof in spoofs)
    if equalize:
        spoofs = sorted(spoofs + [Spoof(utt, BONAFIDE, utt) for utt in cuts])
    names = {x.utt: (speaker_of(cuts[x.victim]), x.utt) for x in spoofs}
    paths = place_files(audio_dir, names, ".flac", data_dir)
    sources = files_of(cut.recording for cut in listed)
    refuse_overwriting(paths.values(), sources)
    if is_main():
        sizes = describe(data_dir, ["sizes"]).get("sizes")
        stamp = _stamp(spoofs, cuts, attacks, seed) | {"audio": sizes}
        stamp |= {"equalize": True} if equalize else {}
        keep_what_fits(Path(audio_dir) / STAMP, stamp, paths.values())
    barrier()
    keep_freed()
    mine = share(spoofs)
    for spoof in watch(mine, len(mine), "spoof-simulate"):
        path = Path(paths[spoof.utt])
        if not path.exists():
            rate = cuts[spoof.victim].sampling_rate
            if spoof.attack == BONAFIDE:
                samples = load_samples(cuts[spoof.victim])
            else:
                samples = make_spoof(spoof, cuts, ATTACKS[attacks[spoof.attack]], seed)
            if equalize:
                samples = pass_chain(samples, rate, _rng(seed, f"{spoof.utt} chain"))
            write_flac(path, samples, rate)
    barrier()
    if is_main():
        originals = cuts if with_bonafide and not equalize else {}
        _write_directory(out_dir, spoofs, originals, cuts, paths)
    shown = ", ".join(f"{count} {label}" for label, count in sorted(counts.items()))
    logger.info("spoof: %d bona fide utterances, spoofs: %s", len(cuts), shown)


def make_spoof(
    spoof: Spoof, cuts: Mapping[str, MonoCut], attack: Attack, seed: int
) -> np.ndarray:
    """Load what an attack needs and run it: (L,) float32, at the victim's rate."""
    victim = cuts[spoof.victim]
    rate, supervision = victim.sampling_rate, victim.supervisions[0]
    material = Material(
        samples=load_samples(victim),
        sample_frequency=rate,
        text=supervision.text or "",
        gender=_gender(victim),
        environment=spoof.environment or None,
    )
    if spoof.other:
        other = cuts[spoof.other]
        samples = resample(load_samples(other), other.sampling_rate, rate)
        material = material._replace(other=samples)
    # A synthesizer has one voice for a speaker, whatever he says.
    name = f"{speaker_of(victim)} {spoof.attack}" if attack.needs_text else spoof.utt
    return attack(material, _rng(seed, name))


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


class _Voices:
    """Other speakers whose speech can be converted into a speaker's voice."""

    def __init__(self, cuts: Sequence[MonoCut]) -> None:
        self._cuts: dict[str | None, list[MonoCut]] = defaultdict(list)
        self._spks: dict[str | None, set[str]] = defaultdict(set)
        for cut in cuts:
            if cut.duration >= MIN_SEC:
                for pool in {_gender(cut), None}:
                    self._cuts[pool].append(cut)
                    self._spks[pool].add(speaker_of(cut))

    def exist_besides(self, cut: MonoCut, pool: str | None = None) -> bool:
        """Tell whether there is another speaker, of a gender or of any."""
        spks = self._spks[pool]
        return len(spks) > (speaker_of(cut) in spks)

    def draw(self, cut: MonoCut, rng: np.random.Generator) -> str:
        """Draw an utterance of another speaker, of the same gender if there is one."""
        pool = _gender(cut)
        if not self.exist_besides(cut, pool):
            pool = None
        while True:
            other = self._cuts[pool][rng.integers(len(self._cuts[pool]))]
            if speaker_of(other) != speaker_of(cut):
                return str(other.id)


def _obstacle(cut: MonoCut, attack: Attack, voices: _Voices) -> str:
    """Return why an attack cannot be made on an utterance; empty if it can."""
    if cut.duration < MIN_SEC:
        return f"are shorter than {MIN_SEC:g} s"
    text = cut.supervisions[0].text or ""
    if attack.needs_text and not any(letter.isalnum() for letter in text):
        return "have no transcript"
    if attack.needs_other and not voices.exist_besides(cut):
        return "have no other speaker beside them"
    return ""


def _gender(cut: MonoCut) -> str | None:
    """Return "f" or "m", None where it is unknown."""
    gender = (cut.supervisions[0].gender or "")[:1].lower()
    return gender if gender in ("f", "m") else None


def _is_bonafide(supervision: SupervisionSegment) -> bool:
    """Tell whether an utterance has no attack, as far as is known."""
    return (supervision.custom or {}).get("attack", BONAFIDE) == BONAFIDE


def _rng(seed: int, name: str) -> np.random.Generator:
    """Make the random generator of a name."""
    return np.random.default_rng([seed, *name.encode()])


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
) -> None:
    """List spoofs, and originals, with all their known attributes."""
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
                text=said.text,
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
