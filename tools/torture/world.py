"""A small world with every kind of file: drawn speakers and all that is made of them.

Six speakers of four utterances of one second; features, i-vectors, networks and
countermeasures of a few parameters; Kaldi's own models; the layouts of two corpora.
"""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

from torture.runs import run

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden" / "kaldi"
NET = (
    "--network lcnn --channels 4 --embedding-dim 4 --delta-order 2"
    " --chunk-frames 32 --batch-size 8"
)
CM = f"{NET} --loss cross_entropy"
VECTORS = "scp:exp/ivectors/ivector.scp"
STATS = "scp:exp/stats/embedding.scp"
DRAW = "--num-sessions 2 --utts-per-session 2 --mean-sec 1.0"

BEFORE = [
    f"speakers-draw --num-spks 6 {DRAW} data wav",
    "trials-make data data/trials",
    "feats-compute --config conf/mfcc.conf data exp/mfcc",
    "vad-compute --config conf/vad.conf data exp/vad",
    "data-export data kaldi/data",
    "ubm-train --num-gauss 4 data exp/ubm",
    "ivector-train --ivector-dim 5 --num-iters 2 data exp/ubm exp/extractor",
    "ivector-extract data exp/extractor exp/ivectors",
    f"backend-train --lda-dim 4 data/utt2spk {VECTORS} exp/backend.npz",
    f"backend-score exp/backend.npz data/trials {VECTORS} exp/scores",
    "calibration-train data/trials exp/scores exp/calibration.npz",
    "calibration-train data/trials exp/scores exp/scores exp/fusion.npz",
    "spoof-simulate --attacks lpc data data_spoof wav_spoof",
    "spoof-splice data_spoof data_spliced wav_spliced",
    "feats-compute data_spoof exp/mfcc_spoof",
    "feats-compute data_spliced exp/mfcc_spliced",
    "cm-gmm-train --num-gauss 2 data_spoof exp/gmm",
    "cm-score data_spoof exp/gmm exp/cm_scores",
    "stats-extract data_spoof exp/stats",
    "cm-classifier-train --classifier naive_bayes data_spoof/utt2attack"
    f" {STATS} data_spoof/utt2attack {STATS} exp/bayes",
    f"nnet-train {NET} --num-epochs 2 data exp/net",
    f"cm-train {CM} --num-epochs 1 data_spoof data_spoof exp/cm",
    f"cm-train {CM} --objective frame_labels --num-epochs 1"
    " data_spliced data_spliced exp/frames",
    "cm-localize --method threshold data_spliced exp/frames exp/located",
]
AFTER = [
    "voxceleb-prepare --part test voxceleb data_vox",
    "kaldi-import kaldi/wav data_wav",
    "kaldi-import kaldi/mp3 data_mp3",
]


class BuildError(Exception):
    """Say that the undamaged world cannot be made."""


def build(root: Path, logs: Path) -> None:
    """Make the world in a directory that is not there yet.

    Raises:
        BuildError: a command that must succeed fails.
    """
    root.mkdir(parents=True)
    shutil.copytree(ROOT / "egs" / "synth" / "v1" / "conf", root / "conf")
    _run_all(root, logs, BEFORE)
    for write in (_write_audio, _write_kaldi, _write_voxceleb, _write_asvspoof):
        write(root)
    _write_scores(root)
    _run_all(root, logs, AFTER)


def _run_all(root: Path, logs: Path, commands: list[str]) -> None:
    for command in commands:
        done = run(command.split(), root, logs)
        if done.code:
            raise BuildError(f"asdkit {command}: {done.hung}\n{done.stderr[-2000:]}")


def _utts(root: Path, table: str) -> dict[str, str]:
    """Read a table of one value per key."""
    lines = (root / table).read_text().splitlines()
    return dict(line.split(maxsplit=1) for line in lines)


def _write_audio(root: Path) -> None:
    """Kaldi's directories of .wav and .mp3 files, the latter with segments."""
    utts = list(_utts(root, "data/utt2spk").items())[:8]
    for kind in ("wav", "mp3"):
        folder = root / "kaldi" / kind
        (folder / "audio").mkdir(parents=True)
        for utt, spk in utts:
            samples, rate = soundfile.read(root / f"wav/{spk}/{utt}.flac")
            soundfile.write(folder / "audio" / f"{utt}.{kind}", samples, rate)
        names = [utt for utt, _ in utts]
        _write(folder / "utt2spk", [f"{utt} {spk}" for utt, spk in utts])
        recos = names if kind == "wav" else [f"r-{name}" for name in names]
        _write(
            folder / "wav.scp",
            [
                f"{reco} kaldi/{kind}/audio/{utt}.{kind}"
                for reco, utt in zip(recos, names, strict=True)
            ],
        )
        if kind == "mp3":
            pairs = zip(names, recos, strict=True)
            _write(folder / "segments", [f"{u} {r} 0.1 0.8" for u, r in pairs])


def _write_kaldi(root: Path) -> None:
    """Models that Kaldi's own programs have written."""
    for name in ("extractor", "backend", "full_ubm", "diag_ubm"):
        shutil.copytree(GOLDEN / name, root / "kaldi" / name)


def _write_voxceleb(root: Path) -> None:
    """Unpack VoxCeleb1: two speakers of two utterances."""
    lines = ["VoxCeleb1 ID\tVGGFace1 ID\tGender\tNationality\tSet"]
    audio = sorted((root / "kaldi" / "wav" / "audio").iterdir())
    for spk in ("id10270", "id10271"):
        lines.append(f"{spk}\tSome_One\tf\tUSA\ttest")
        for number in (1, 2):
            target = root / "voxceleb" / "wav" / spk / "x6uYqmx31kE"
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy(audio.pop(), target / f"{number:05d}.wav")
    _write(root / "voxceleb" / "vox1_meta.csv", lines)
    pair = "{}/x6uYqmx31kE/00001.wav id10270/x6uYqmx31kE/00002.wav"
    trials = [f"{1 - i} {pair.format(f'id1027{i}')}" for i in range(2)]
    _write(root / "voxceleb" / "veri_test2.txt", trials)


def _write_asvspoof(root: Path) -> None:
    """Unpack the development part of ASVspoof 2019 LA."""
    folder, name = root / "asvspoof" / "LA", "ASVspoof2019.LA"
    audio = folder / "ASVspoof2019_LA_dev" / "flac"
    audio.mkdir(parents=True)
    attacks = _utts(root, "data_spoof/utt2attack")
    spk_of = _utts(root, "data_spoof/utt2spk")
    path_of = _utts(root, "data_spoof/wav.scp")
    lists: dict[str, list[str]] = {}
    for number, utt in enumerate(attacks):
        new = f"LA_D_{number:07d}"
        shutil.copy(root / path_of[utt], audio / f"{new}.flac")
        spk, attack = spk_of[utt], attacks[utt]
        key = "bonafide" if attack == "bonafide" else "spoof"
        attack = "-" if attack == "bonafide" else "A01"
        lists.setdefault(f"cm_protocols/{name}.cm.dev.trl.txt", []).append(
            f"{spk} {new} - {attack} {key}"
        )
        words = "bonafide target" if key == "bonafide" else f"{attack} spoof"
        asv = lists.setdefault(f"asv_protocols/{name}.asv.dev.gi.trl.txt", [])
        asv.append(f"{spk} {new} {words}")
        scores = f"asv_scores/{name}.asv.dev.gi.trl.scores.txt"
        lists.setdefault(scores, []).append(f"{words} {number % 7}.25")
        for gender in ("female", "male"):
            enroll = lists.setdefault(
                f"asv_protocols/{name}.asv.dev.{gender}.trn.txt", []
            )
            if key == "bonafide" and gender == "female" and spk not in str(enroll):
                enroll.append(f"{spk} {new}")
    for path, lines in lists.items():
        _write(folder / f"ASVspoof2019_LA_{path}", lines)


def _write_scores(root: Path) -> None:
    """Scores of another system, trials of models, a tandem's trials and scores."""
    pairs = [
        line.rsplit(" ", 1)
        for line in (root / "exp/scores").read_text().split("\n")[:-1]
    ]
    _write(
        root / "exp/scores2", [f"{p} {float(s) * 0.5 + len(p) % 3}" for p, s in pairs]
    )
    spk_of = _utts(root, "data/utt2spk")
    keys = {True: "target", False: "nontarget"}
    _write(
        root / "exp/models",
        [
            f"{m} {u} {keys[m == s]}"
            for m in sorted(set(spk_of.values()))
            for u, s in spk_of.items()
        ],
    )
    rng = np.random.default_rng(0)
    keys = ["target", "nontarget", "spoof"] * 20
    asv = rng.normal(size=60) + [4 * (key != "nontarget") for key in keys]
    cm = rng.normal(size=60) + [4 * (key != "spoof") for key in keys]
    names = [f"s{i % 9} u{i}" for i in range(60)]
    rows = list(zip(names, keys, asv, cm, strict=True))
    _write(root / "tandem" / "trials", [f"{n} {k}" for n, k, _, _ in rows])
    _write(root / "tandem" / "asv", [f"{n} {a:.5f}" for n, _, a, _ in rows])
    _write(root / "tandem" / "cm", [f"{n.split()[1]} {c:.5f}" for n, _, _, c in rows])


def _write(path: Path, lines: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))


def edit_manifest(path: Path, change: Callable[[list[dict]], object]) -> None:
    """Change the items of a manifest in place."""
    items = [json.loads(x) for x in gzip.decompress(path.read_bytes()).splitlines()]
    change(items)
    text = "".join(f"{json.dumps(item)}\n" for item in items)
    path.write_bytes(gzip.compress(text.encode("utf-8", "surrogatepass"), mtime=0))
