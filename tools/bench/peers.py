"""What others would run instead of asdkit's programs, for `programs.py`.

    python tools/bench/peers.py mfcc-knf wav.scp feats.ark

Each is written as the tool's own documentation has it, from files to files, and imports
what it needs only.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

PART = 100  # the loop over trials runs on one of so many
BINS, CEPS, LOW, HIGH = 30, 24, 20.0, 7600.0  # mfcc.conf


def each_mfcc(wav_scp: str, ark: str, compute: Callable[[np.ndarray], Any]) -> None:
    """Read WAV files, compute, write an archive."""
    import kaldiio
    import soundfile

    with kaldiio.WriteHelper(f"ark:{ark}") as writer:
        for utt, path in words_of(wav_scp):
            samples, _ = soundfile.read(path, dtype="float32")
            writer(utt, np.asarray(compute(samples), np.float32))


def mfcc_knf(wav_scp: str, ark: str) -> None:
    """kaldi-native-fbank, all frames of an utterance after its samples are in."""
    import kaldi_native_fbank as knf

    options = knf.MfccOptions()
    options.frame_opts.dither, options.frame_opts.snip_edges = 0.0, False
    options.mel_opts.num_bins, options.num_ceps = BINS, CEPS
    options.mel_opts.low_freq, options.mel_opts.high_freq = LOW, HIGH

    def compute(samples: np.ndarray) -> np.ndarray:
        online = knf.OnlineMfcc(options)
        online.accept_waveform(16000, samples * 32768)
        online.input_finished()
        return np.stack([online.get_frame(t) for t in range(online.num_frames_ready)])

    each_mfcc(wav_scp, ark, compute)


def mfcc_torchaudio(wav_scp: str, ark: str) -> None:
    """Run torchaudio's Kaldi-compatible MFCC."""
    import torch
    from torchaudio.compliance import kaldi

    torch.set_num_threads(1)
    options: dict[str, Any] = {"num_mel_bins": BINS, "num_ceps": CEPS, "dither": 0.0}
    options |= {"low_freq": LOW, "high_freq": HIGH, "snip_edges": False}

    def compute(samples: np.ndarray) -> np.ndarray:
        signal = torch.from_numpy(samples)[None] * 32768
        return kaldi.mfcc(signal, use_energy=True, **options).numpy()

    each_mfcc(wav_scp, ark, compute)


def mfcc_lhotse(wav_scp: str, ark: str) -> None:
    """Run lhotse's own MFCC; close to Kaldi's, not the same."""
    import torch
    from lhotse import Mfcc, MfccConfig

    torch.set_num_threads(1)
    extractor = Mfcc(MfccConfig(num_filters=BINS, num_ceps=CEPS, dither=0.0))
    each_mfcc(wav_scp, ark, lambda samples: extractor.extract(samples, 16000))


def words_of(path: str) -> Iterator[list[str]]:
    """Yield the words of every line."""
    with open(path) as stream:
        for line in stream:
            yield line.split()


def cosine(trials_path: str, vectors_scp: str, part: str) -> None:
    """scikit-learn's cosine per trial, as WeSpeaker's score.py calls it.

    ``part`` is "some" for one trial of a hundred, or "none" for all but their scores.
    """
    import kaldiio
    from sklearn.metrics.pairwise import cosine_similarity

    vectors = dict(kaldiio.load_scp(vectors_scp).items())
    for number, (enroll, test, _) in enumerate(words_of(trials_path)):
        if part == "some" and number % PART == 0:
            cosine_similarity(vectors[enroll][None], vectors[test][None])[0][0]


def min_dcf(trials_path: str, scores_path: str) -> None:
    """Read lines into dictionaries and lists, as Kaldi's compute_min_dcf.py does."""
    keys = {f"{a} {b}": key == "target" for a, b, key in words_of(trials_path)}
    scores, labels = [], []
    for a, b, score in words_of(scores_path):
        scores.append(float(score))
        labels.append(keys[f"{a} {b}"])
    order = [i for i, _ in sorted(enumerate(scores), key=lambda pair: pair[1])]
    num_targets = sum(labels)
    misses, accepted, least = 0, len(labels) - num_targets, 1.0
    for i in order:
        misses += labels[i]
        accepted -= not labels[i]
        rates = misses / num_targets, accepted / (len(labels) - num_targets)
        least = min(least, (0.01 * rates[0] + 0.99 * rates[1]) / 0.01)


PEERS = {
    "mfcc-knf": mfcc_knf,
    "mfcc-torchaudio": mfcc_torchaudio,
    "mfcc-lhotse": mfcc_lhotse,
    "cosine": cosine,
    "min-dcf": min_dcf,
}

if __name__ == "__main__":
    PEERS[sys.argv[1]](*sys.argv[2:])
