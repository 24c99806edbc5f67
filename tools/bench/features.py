"""Time filter banks beside other libraries: rows F1 to F3.

    python tools/bench/features.py                 8 s utterances of noise, 9 rounds
    python tools/bench/features.py --wav a.flac    8 s pieces of speech

Both sides alternate in one process on one thread, and CPU time counts, which other
programs on the machine disturb less than the clock; a ratio is the median over the
rounds of theirs by ours.  What is not installed is left out: kaldi-native-fbank
(pip install kaldi-native-fbank), Kaldi's compute-fbank-feats (reads a WAV, as our
side then does).
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
from asdkit.base.blas import choose_kernels

choose_kernels()

# ruff: noqa: E402
import numpy as np
import soundfile
import torch
import torchaudio.compliance.kaldi as compliance
from lhotse.features.kaldi.layers import Wav2LogFilterBank, Wav2MFCC

from asdkit.features import frames
from asdkit.features.kaldi import Fbank, Mfcc
from asdkit.io.audio import read_audio

try:
    import kaldi_native_fbank as native
except ImportError:
    native = None

RATE, SECONDS, NUM_UTTS = 16000, 8, 90
HOUR = 3600 / (SECONDS * NUM_UTTS)
Utterances = list[np.ndarray]


def cut_utterances(wav: str | None) -> Utterances:
    """90 utterances of 8 s: pieces of a recording, repeated as need be, or noise."""
    length = SECONDS * RATE
    if wav is None:
        noise = np.random.default_rng(0).standard_normal((NUM_UTTS, length))
        return list((0.1 * noise).astype(np.float32))
    samples = np.resize(read_audio(wav, RATE)[0], NUM_UTTS * length)
    return np.split(samples, NUM_UTTS)


def run_native(utterances: Utterances) -> None:
    """Fbank of kaldi-native-fbank, frame by frame as its interface has it."""
    options = native.FbankOptions()
    options.frame_opts.dither = 0
    options.mel_opts.num_bins = 80
    for samples in utterances:
        fbank = native.OnlineFbank(options)
        fbank.accept_waveform(RATE, (samples * 32768).tolist())
        fbank.input_finished()
        np.stack([fbank.get_frame(t) for t in range(fbank.num_frames_ready)])


def rows(utterances: Utterances, folder: Path) -> Iterator[tuple[str, ...]]:
    """Yield a name, our side and theirs."""
    tensors = [torch.from_numpy(u)[None] for u in utterances]
    fbank, mfcc = Fbank(dither=0.0, num_mel_bins=80), Mfcc(dither=0.0, num_ceps=13)
    dithered = Mfcc(num_ceps=13)

    def ours(extractor: Fbank | Mfcc) -> Callable[[], object]:
        return lambda: [extractor(u) for u in utterances]

    scaled = [32768 * t for t in tensors]
    yield (
        "F1 fbank80, torchaudio.compliance",
        ours(fbank),
        lambda: [compliance.fbank(t, num_mel_bins=80) for t in scaled],
    )
    yield "F1 mfcc13, ditto", ours(mfcc), lambda: [compliance.mfcc(t) for t in scaled]
    yield (
        "F1 mfcc13 with dither, ditto",
        ours(dithered),
        lambda: [compliance.mfcc(t, dither=1.0) for t in scaled],
    )
    layer, cepstra = Wav2LogFilterBank(), Wav2MFCC()
    yield "F2 fbank80, lhotse", ours(fbank), lambda: [layer(t) for t in tensors]
    yield "F2 mfcc13, lhotse", ours(mfcc), lambda: [cepstra(t) for t in tensors]
    if native:
        few = utterances[:9]
        yield (
            "F2 fbank80, kaldi-native-fbank",
            lambda: [fbank(u) for u in few],
            lambda: run_native(few),
        )
    yield "F3 fbank80, a batch of 90", ours(fbank), lambda: fbank.batch(utterances)
    stacked = torch.cat(tensors)
    yield "F3 lhotse's own batch of 90", ours(fbank), lambda: layer(stacked)
    yield "F3 one block for all", ours(fbank), lambda: in_one_block(fbank, utterances)
    if shutil.which("compute-fbank-feats"):
        wavs = [str(folder / f"{n}.wav") for n in range(NUM_UTTS)]
        for wav, samples in zip(wavs, utterances, strict=True):
            soundfile.write(wav, samples, RATE)
        table = folder / "wav.scp"
        table.write_text("".join(f"{wav} {wav}\n" for wav in wavs))
        kaldi = ["compute-fbank-feats", "--num-mel-bins=80", "--dither=0"]
        kaldi += [f"scp:{table}", "ark:/dev/null"]
        yield (
            "F1 fbank80 from WAV, Kaldi",
            lambda: [fbank(read_audio(wav)[0]) for wav in wavs],
            lambda: subprocess.run(kaldi, check=True, capture_output=True),
        )


def in_one_block(fbank: Fbank, utterances: Utterances) -> None:
    """All at once, as if there were no cache to stay in."""
    block, frames.BLOCK = frames.BLOCK, 10**9
    fbank.batch(utterances)
    frames.BLOCK = block


def cpu_time(function: Callable[[], object]) -> float:
    """CPU seconds of a call, its child processes included."""
    before = time.process_time(), resource.getrusage(resource.RUSAGE_CHILDREN)
    function()
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    of_children = children.ru_utime - before[1].ru_utime
    of_children += children.ru_stime - before[1].ru_stime
    return time.process_time() - before[0] + of_children


def main() -> None:
    """Print a line per row."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--wav", help="recording to cut utterances from")
    parser.add_argument("--rounds", type=int, default=9)
    args = parser.parse_args()
    torch.set_num_threads(1)
    utterances = cut_utterances(args.wav)
    print(f"{'':36}{'ours':>8}{'theirs':>8}  s of CPU per hour of audio, median ratio")
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        for name, ours, theirs in rows(utterances, Path(folder)):
            ours(), theirs()  # the first time allocates
            pairs = []
            for _ in range(args.rounds):
                pairs.append((cpu_time(ours), cpu_time(theirs)))
            ratio = statistics.median(b / a for a, b in pairs)
            scale = HOUR * (10 if "native" in name else 1)
            a, b = (
                scale * statistics.median(side) for side in zip(*pairs, strict=True)
            )
            print(f"{name:36}{a:8.3f}{b:8.3f}  {ratio:6.2f}", flush=True)


if __name__ == "__main__":
    main()
