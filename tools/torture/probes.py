"""What is run in the small world: every program that reads something, at least once."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from torture.runs import Run, run
from torture.trees import Tree, changes, meanings, take_stamps
from torture.world import CM, NET, STATS, VECTORS, BuildError

FLAC, WAV, MP3 = "wav/*/*.flac", "kaldi/wav/audio/*.wav", "kaldi/mp3/audio/*.mp3"
SPOOFS = "wav_spoof/*/*.flac"
LOG = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d (INFO|WARNING) \[\w+:\d+\] ")
LA = "--corpus asvspoof2019_la --part dev"


@dataclass
class Probe:
    """A command whose result is known.

    Attributes:
        argv: its words.
        audio: a pattern of the sound files it reads, which are opened behind Python's
            back; empty if there are none.
        reads: every file it reads, once it has been run.
        result: new and changed files -> digest, and "stdout".
        said: its messages, without the time.
    """

    argv: list[str]
    audio: str = ""
    reads: list[str] = field(default_factory=list)
    result: dict[str, str] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    @property
    def program(self) -> str:
        """The name of the program."""
        return self.argv[0]


PROBES = [
    Probe(command.split(), audio)
    for command, audio in [
        ("feats-compute --config conf/mfcc.conf data exp/new", FLAC),
        ("feats-compute data_wav exp/new", WAV),
        ("feats-compute data_mp3 exp/new", MP3),
        ("kaldi-import kaldi/wav new", WAV),
        ("kaldi-import kaldi/mp3 new", MP3),
        ("kaldi-import kaldi/data new", FLAC),
        ("kaldi-import kaldi/extractor/3.ie exp/new", ""),
        ("kaldi-import kaldi/extractor/final.ubm exp/new", ""),
        ("kaldi-import kaldi/diag_ubm/final.dubm exp/new", ""),
        ("kaldi-import kaldi/backend/plda exp/new.npz", ""),
        ("kaldi-export exp/extractor/extractor.npz exp/new", ""),
        ("voxceleb-prepare --part test voxceleb new", "voxceleb/wav/*/*/*.wav"),
        (f"spoof-prepare {LA} asvspoof new", "asvspoof/LA/*/flac/*.flac"),
        ("trials-import voxceleb/veri_test2.txt data_vox exp/new", ""),
        ("data-validate data", ""),
        ("data-copy --utt-prefix a- data new", ""),
        ("data-subset --per-spk 2 data new", ""),
        ("data-combine data data_vox new", ""),
        ("data-export data exp/new", ""),
        ("trials-make data exp/new", ""),
        ("noise-add --snr-db 10 data_wav new exp/new", WAV),
        ("room-apply data_wav new exp/new", WAV),
        ("codec-apply --codecs ulaw data_wav new exp/new", WAV),
        ("spoof-simulate --attacks lpc data_wav new exp/new", WAV),
        ("spoof-splice data_spoof new exp/new", SPOOFS),
        ("vad-compute --config conf/vad.conf data exp/new", ""),
        ("ubm-train --num-gauss 2 data exp/new", ""),
        ("ivector-train --ivector-dim 4 --num-iters 1 data exp/ubm exp/new", ""),
        ("ivector-extract data exp/extractor exp/new", ""),
        (f"backend-train --config conf/plda.conf --lda-dim 3 data/utt2spk {VECTORS}"
         " exp/new.npz", ""),
        (f"backend-adapt exp/backend.npz {VECTORS} exp/new.npz", ""),
        (f"backend-score exp/backend.npz data/trials {VECTORS} exp/new", ""),
        (f"backend-score --enroll-spk2utt data/spk2utt exp/backend.npz exp/models"
         f" {VECTORS} exp/new", ""),
        (f"score-normalize --cohort-utt2spk data/utt2spk exp/backend.npz {VECTORS}"
         f" {VECTORS} exp/scores exp/new", ""),
        ("calibration-train --duration data/utt2dur data/trials exp/scores"
         " exp/new.npz", ""),
        ("score-calibrate exp/calibration.npz exp/scores exp/new", ""),
        ("score-fuse exp/fusion.npz exp/scores exp/scores2 exp/new", ""),
        ("score-metrics data/trials exp/scores", ""),
        ("score-metrics --flavor asvspoof2021 data_spoof/utt2attack exp/cm_scores", ""),
        ("score-check data/trials exp/scores", ""),
        ("stats-extract data_spoof exp/new", ""),
        ("cm-gmm-train --num-gauss 2 data_spoof exp/new", ""),
        ("cm-score data_spoof exp/gmm exp/new", ""),
        ("cm-score data_spoof exp/cm exp/new", ""),
        ("cm-classifier-train --classifier naive_bayes data_spoof/utt2attack"
         f" {STATS} data_spoof/utt2attack {STATS} exp/new", ""),
        (f"cm-classifier-score {STATS} exp/bayes/train exp/new", ""),
        (f"nnet-train {NET} --num-epochs 2 data exp/net", ""),
        (f"nnet-train {NET} --features fbank --num-epochs 1 data_wav exp/new", WAV),
        ("nnet-extract data exp/net exp/new", ""),
        (f"cm-train {CM} --num-epochs 1 data_spoof data_spoof exp/new", ""),
        ("cm-localize --method threshold data_spliced exp/frames exp/new", ""),
        ("segment-metrics data_spliced exp/located", ""),
        ("tandem-fuse tandem/trials tandem/asv tandem/cm tandem/trials tandem/asv"
         " tandem/cm exp/new", ""),
        ("cost-table exp", ""),
        ("model-info exp/backend.npz", ""),
        ("model-info exp/net/network.pt", ""),
    ]
]  # fmt: skip


def learn(probe: Probe, tree: Tree, logs: Path) -> None:
    """Run a probe in the undamaged world, twice, and note what comes of it.

    Raises:
        BuildError: it fails, or the two differ.
    """
    found = []
    for _ in range(2):
        done = run(probe.argv, tree.root, logs, trace=True)
        if done.code:
            raise BuildError(f"{probe.argv}: {done.hung}\n{done.stderr[-2000:]}")
        found.append(result_of(done, tree, tree.stamps))
        probe.reads = [name for name in done.reads if name in tree.stamps]
        tree.restore()
    if found[0] != found[1]:
        names = [name for name in found[0] if found[0][name] != found[1].get(name)]
        raise BuildError(f"{probe.argv}: two runs differ in {names}")
    if probe.audio:
        paths = sorted(tree.root.glob(probe.audio))
        probe.reads += [str(path.relative_to(tree.root)) for path in paths]
    probe.reads = list(dict.fromkeys(probe.reads))
    probe.result = found[0]
    probe.said = messages(done.stderr)


def result_of(done: Run, tree: Tree, before: dict) -> dict[str, str]:
    """Digest what a run has made: files and what it printed."""
    names = changes(before, take_stamps(tree.root))
    return {**meanings(tree.root, names), "stdout": done.stdout}


def messages(stderr: str) -> list[str]:
    """What a program said after its command line, without the time and line of code."""
    found = [LOG.sub(r"\1 ", line) for line in stderr.splitlines()]
    return [line for line in found if not line.startswith("INFO asdkit ")]
