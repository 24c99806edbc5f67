"""Time features, Griffin-Lim and resampling beside other libraries: rows F1 to F6.

    python tools/bench/features.py                 8 s utterances of noise, 9 rounds
    python tools/bench/features.py --wav a.flac    8 s pieces of speech
    python tools/bench/features.py --rows F2,F6    some rows

Both sides alternate in one process on one thread, and CPU time counts, which other
programs on the machine disturb less than the clock; a ratio is the median over the
rounds of theirs by ours.  What is not installed is left out: torchaudio,
kaldi-native-fbank, Kaldi's compute-fbank-feats (reads a WAV, as our side then does).
"""

from __future__ import annotations

import argparse
import importlib
import os
import resource
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
from asdkit.base.blas import choose_kernels

choose_kernels()

# ruff: noqa: E402
import numpy as np
import soundfile
import torch
from lhotse.features.kaldi.layers import Wav2LogFilterBank, Wav2MFCC

from asdkit.features import framing as frames
from asdkit.features.mel import Fbank, Mfcc
from asdkit.io.audio import read_audio
from asdkit.io.resampling import resample
from asdkit.nnet.log_mel import LogMel
from asdkit.simulation.griffin_lim import griffin_lim

RATE, SECONDS, NUM_UTTS = 16000, 8, 90
RATES = [(8000, 16000), (16000, 8000), (44100, 16000), (48000, 16000), (16000, 14545)]
Utterances = list[np.ndarray]


class Row(NamedTuple):
    """A comparison.

    Attributes:
        name: what is done, and who else does it.
        ours: does it.
        theirs: does it as well.
        num_utts: of 8 s, that each of them goes through.
    """

    name: str
    ours: Callable[[], object]
    theirs: Callable[[], object]
    num_utts: int = NUM_UTTS


def optional(name: str) -> ModuleType | None:
    """Import a module if it is there and works."""
    try:
        return importlib.import_module(name)
    except Exception as error:  # a broken torchaudio raises whatever it runs into
        print(f"without {name}: {error}")
        return None


def cut_utterances(wav: str | None) -> Utterances:
    """90 utterances of 8 s: pieces of a recording, repeated as need be, or noise."""
    length = SECONDS * RATE
    if wav is None:
        noise = np.random.default_rng(0).standard_normal((NUM_UTTS, length))
        return list((0.1 * noise).astype(np.float32))
    samples = np.resize(read_audio(wav, RATE)[0], NUM_UTTS * length)
    return np.split(samples, NUM_UTTS)


def of_torchaudio(torchaudio: ModuleType, utterances: Utterances) -> Iterator[Row]:
    """F1 and F4 to F6: what torchaudio has, too."""
    compliance = torchaudio.compliance.kaldi
    tensors = [torch.from_numpy(u)[None] for u in utterances]
    scaled = [32768 * t for t in tensors]
    fbank, mfcc = Fbank(dither=0.0, num_mel_bins=80), Mfcc(dither=0.0)
    dithered = Mfcc()
    yield Row(
        "F1 fbank80, torchaudio.compliance",
        lambda: [fbank(u) for u in utterances],
        lambda: [compliance.fbank(t, num_mel_bins=80) for t in scaled],
    )
    yield Row(
        "F1 mfcc13, torchaudio.compliance",
        lambda: [mfcc(u) for u in utterances],
        lambda: [compliance.mfcc(t) for t in scaled],
    )
    yield Row(
        "F1 mfcc13 with dither, ditto",
        lambda: [dithered(u) for u in utterances],
        lambda: [compliance.mfcc(t, dither=1.0) for t in scaled],
    )
    options = {"n_fft": 512, "win_length": 400, "hop_length": 160, "n_mels": 40}
    theirs = torchaudio.transforms.MelSpectrogram(
        **options, window_fn=torch.hamming_window, center=False
    )
    log_mel = LogMel()
    yield Row(
        "F4 log-mel40, torchaudio",
        lambda: [log_mel(t, None) for t in tensors],
        lambda: [(theirs(t) + 1e-6).log() for t in tensors],
    )
    size = 1024
    magnitude = torchaudio.transforms.Spectrogram(size, hop_length=256, power=1.0)
    to_mel = torchaudio.transforms.MelScale(80, RATE, n_stft=size // 2 + 1)
    bands = to_mel.fb.T.double()
    inverse = torch.linalg.pinv(bands)
    guess = torchaudio.transforms.GriffinLim(
        size, 32, hop_length=256, power=1.0, rand_init=False, length=len(utterances[0])
    )
    few = tensors[:3]
    yield Row(
        "F5 Griffin-Lim of 80 mels, torchaudio",
        lambda: [griffin_lim(u, RATE) for u in utterances[:3]],
        lambda: [
            guess((inverse @ (bands @ magnitude(t).double())).clamp(min=0).float())
            for t in few
        ],
        len(few),
    )
    for old, new in RATES:
        yield resampling(torchaudio, old, new, utterances[:9])


def resampling(
    torchaudio: ModuleType, old: int, new: int, utterances: Utterances
) -> Row:
    """F6: as many seconds at another rate."""
    others = [np.resize(u, SECONDS * old) for u in utterances]
    change = torchaudio.transforms.Resample(old, new)
    return Row(
        f"F6 {old} to {new} Hz, torchaudio",
        lambda: [resample(u, old, new) for u in others],
        lambda: [change(torch.from_numpy(u)) for u in others],
        len(others),
    )


def of_native(native: ModuleType, utterances: Utterances) -> Iterator[Row]:
    """F2: kaldi-native-fbank, frame by frame as its interface has it."""

    def run(options: object, kind: str) -> None:
        options.frame_opts.dither = 0
        for samples in few:
            computer = getattr(native, kind)(options)
            computer.accept_waveform(RATE, (samples * 32768).tolist())
            computer.input_finished()
            np.stack([computer.get_frame(t) for t in range(computer.num_frames_ready)])

    few = utterances[:9]
    fbank, mfcc = Fbank(dither=0.0, num_mel_bins=80), Mfcc(dither=0.0)
    options = native.FbankOptions()
    options.mel_opts.num_bins = 80
    yield Row(
        "F2 fbank80, kaldi-native-fbank",
        lambda: [fbank(u) for u in few],
        lambda: run(options, "OnlineFbank"),
        len(few),
    )
    yield Row(
        "F2 mfcc13, kaldi-native-fbank",
        lambda: [mfcc(u) for u in few],
        lambda: run(native.MfccOptions(), "OnlineMfcc"),
        len(few),
    )


def of_others(utterances: Utterances, folder: Path) -> Iterator[Row]:
    """F1 to F3: Kaldi, lhotse, and ourselves in blocks of another size."""
    fbank, mfcc = Fbank(dither=0.0, num_mel_bins=80), Mfcc(dither=0.0)
    tensors = [torch.from_numpy(u)[None] for u in utterances]
    layer, cepstra, stacked = Wav2LogFilterBank(), Wav2MFCC(), torch.cat(tensors)

    def one_by_one() -> list[np.ndarray]:
        return [fbank(u) for u in utterances]

    yield Row("F2 fbank80, lhotse", one_by_one, lambda: [layer(t) for t in tensors])
    yield Row(
        "F2 mfcc13, lhotse",
        lambda: [mfcc(u) for u in utterances],
        lambda: [cepstra(t) for t in tensors],
    )
    yield Row("F3 fbank80, a batch of 90", one_by_one, lambda: fbank.batch(utterances))
    yield Row("F3 lhotse's own batch of 90", one_by_one, lambda: layer(stacked))
    yield Row(
        "F3 one block for all", one_by_one, lambda: in_one_block(fbank, utterances)
    )
    if shutil.which("compute-fbank-feats"):
        wavs = [str(folder / f"{n}.wav") for n in range(NUM_UTTS)]
        for wav, samples in zip(wavs, utterances, strict=True):
            soundfile.write(wav, samples, RATE)
        table = folder / "wav.scp"
        table.write_text("".join(f"{wav} {wav}\n" for wav in wavs))
        kaldi = ["compute-fbank-feats", "--num-mel-bins=80", "--dither=0"]
        kaldi += [f"scp:{table}", "ark:/dev/null"]
        yield Row(
            "F1 fbank80 from WAV, Kaldi",
            lambda: [fbank(read_audio(wav)[0]) for wav in wavs],
            lambda: subprocess.run(kaldi, check=True, capture_output=True),
        )


def in_one_block(fbank: Fbank, utterances: Utterances) -> None:
    """All at once, as if there were no cache to stay in."""
    block, frames.BLOCK = frames.BLOCK, 10**9
    fbank.batch(utterances)
    frames.BLOCK = block


def rows(utterances: Utterances, folder: Path) -> Iterator[Row]:
    """Yield every comparison that can be made here."""
    if (torchaudio := optional("torchaudio")) is not None:
        yield from of_torchaudio(torchaudio, utterances)
    if (native := optional("kaldi_native_fbank")) is not None:
        yield from of_native(native, utterances)
    yield from of_others(utterances, folder)


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
    parser.add_argument("--rows", default="F", help="beginnings of names, e.g. F2,F6")
    args = parser.parse_args()
    torch.set_num_threads(1)
    utterances = cut_utterances(args.wav)
    print(f"{'':38}{'ours':>8}{'theirs':>8}  s of CPU per hour of audio, median ratio")
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        for row in rows(utterances, Path(folder)):
            if not row.name.startswith(tuple(args.rows.split(","))):
                continue
            row.ours(), row.theirs()  # the first time allocates
            pairs = []
            for _ in range(args.rounds):
                pairs.append((cpu_time(row.ours), cpu_time(row.theirs)))
            ratio = statistics.median(b / a for a, b in pairs)
            scale = 3600 / (SECONDS * row.num_utts)
            a, b = (
                scale * statistics.median(side) for side in zip(*pairs, strict=True)
            )
            print(f"{row.name:38}{a:8.3f}{b:8.3f}  {ratio:6.2f}", flush=True)


if __name__ == "__main__":
    main()
