"""Time batches for networks, alone and beside a training step that needs them.

    python tools/bench/batches.py                   drawn speakers, two networks
    python tools/bench/batches.py --data DIR        audio of a data directory

First, how many chunks of 2 s a second each frames makes, with 0, 1 and 2 workers.  Then
a training step with batches of a source against the same step with the same random
tensor every time; the two alternate, and the ratio is the median over the rounds of
seconds by the clock, so that waiting counts.  The processor is shared: start it on a
quiet machine.  With a GPU, steps run there, in bfloat16.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from asdkit.base.blas import choose_kernels

choose_kernels()

# ruff: noqa: E402
import soundfile
import torch
from torch import nn

from asdkit.base.device import choose_device
from asdkit.batches.augmentation import Augmentation, SpecAugment
from asdkit.batches.batches import TrainingBatches
from asdkit.batches.frame_sources import ComputedFrames, FrameSource, StoredFrames
from asdkit.batches.noises import DrawnNoises, DrawnRooms
from asdkit.batches.samplers import RandomChunks
from asdkit.data.cuts import number_speakers, read_cuts
from asdkit.data.features import compute_features
from asdkit.data.manifests import Utterance, write_utterances
from asdkit.features.mel import Fbank
from asdkit.nnet.registry import build
from asdkit.simulation.corpus import DrawnCorpus

FBANK = Fbank(num_mel_bins=80, window_type="hamming")
NETWORKS = ("resnet_se34_fast", "resnet34")


def draw_data(folder: Path) -> Path:
    """Write 160 utterances of 5 s and their features."""
    corpus = DrawnCorpus(num_spks=20, mean_sec=5.0)
    utterances = []
    for drawn in corpus.utterances():
        path = str(folder / f"{drawn.utt}.flac")
        soundfile.write(path, corpus.speak(drawn), 16000)
        utterances.append(
            Utterance(drawn.utt, drawn.spk, path, False, 0.0, drawn.sec, 0, 16000)
        )
    write_utterances(folder / "data", utterances)
    return folder / "data"


def make_lanes(data: Path, folder: Path) -> dict[str, FrameSource]:
    """Build the sources to be timed, from one copy of the manifests."""
    copy = folder / "copy"
    copy.mkdir()
    for path in data.glob("*.jsonl.gz"):
        (copy / path.name).write_bytes(path.read_bytes())
    compute_features(copy, folder / "packed", FBANK, compress=True)
    packed = StoredFrames(read_cuts(copy, features=True), max_cached=0)
    compute_features(copy, folder / "fbank", FBANK)
    stored, audio = list(read_cuts(copy, True)), list(read_cuts(copy, False))
    augment = Augmentation(DrawnRooms(), DrawnNoises())
    babble = Augmentation(DrawnRooms(), DrawnNoises(audio))
    speeds = (1.0, 0.9, 1.1)
    return {
        "stored, cached": StoredFrames(stored),
        "stored, on disk": StoredFrames(stored, max_cached=0),
        "stored, compressed, on disk": packed,
        "audio": ComputedFrames(audio, FBANK),
        "audio, speeds": ComputedFrames(audio, FBANK, speeds),
        "audio, rooms and noise": ComputedFrames(audio, FBANK, augmentation=augment),
        "audio, all and babble": ComputedFrames(audio, FBANK, speeds, True, babble),
    }


def batches_of(
    frames: FrameSource, batch_size: int, num_workers: int
) -> TrainingBatches:
    """Make batches with masks."""
    sampler = RandomChunks(len(frames.cuts), batch_size)
    speakers = number_speakers(frames.cuts)
    return TrainingBatches(
        frames, speakers, sampler, spec_augment=SpecAugment(), num_workers=num_workers
    )


def time_chunks(batches: TrainingBatches, num_batches: int) -> tuple[float, float]:
    """Chunks a second by the clock, and ms of this process's CPU a chunk."""
    coming = batches.from_step(0)
    next(coming)  # workers start
    start, cpu = time.perf_counter(), time.process_time()
    for _ in islice(coming, num_batches):
        pass
    number = num_batches * batches.sampler.batch_size
    elapsed = time.perf_counter() - start
    return number / elapsed, 1000 * (time.process_time() - cpu) / number


def stepper(name: str, device: str) -> Callable[[torch.Tensor], None]:
    """Build a network and a function that takes a training step."""
    network = build(name, feat_dim=80).to(device).train()
    head = nn.Linear(network.embedding_dim, 100).to(device)
    parameters = [*network.parameters(), *head.parameters()]
    optimizer = torch.optim.SGD(parameters, lr=1e-3, momentum=0.9)

    def step(feats: torch.Tensor) -> None:
        labels = torch.zeros(len(feats), dtype=torch.int64, device=device)
        with torch.autocast("cuda", torch.bfloat16, enabled=device != "cpu"):
            embeddings = network(feats.to(device, non_blocking=True))
            loss = nn.functional.cross_entropy(head(embeddings), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if device != "cpu":
            torch.cuda.synchronize()

    return step


def time_steps(
    step: Callable[[torch.Tensor], None], feats: Iterator[torch.Tensor], number: int
) -> float:
    """Seconds that a number of steps take."""
    start = time.perf_counter()
    for tensor in islice(feats, number):
        step(tensor)
    return time.perf_counter() - start


def compare(step: Callable, batches: TrainingBatches, rounds: int, number: int) -> None:
    """Print a step's time with the same tensor, and how much longer with batches."""
    coming = (batch.feats for _, batch in batches.from_step(0))
    same = next(coming).clone()
    bare, fed = [], []
    for _ in range(rounds):
        bare.append(time_steps(step, iter([same] * number), number))
        fed.append(time_steps(step, coming, number))
    ratio = statistics.median(f / b for f, b in zip(fed, bare, strict=True))
    seconds = statistics.median(bare) / number
    print(f"{1000 * seconds:9.1f}{ratio:8.3f}", end="", flush=True)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, help="data directory with audio")
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=4, help="steps in a round")
    parser.add_argument("--networks", nargs="*", default=NETWORKS)
    args = parser.parse_args()
    device = choose_device()
    with tempfile.TemporaryDirectory() as name:
        sources = make_lanes(args.data or draw_data(Path(name)), Path(name))
        print(f"{'':32}{'ms of CPU':>9}{'chunks a second, workers 0, 1, 2':>36}")
        for title, frames in sources.items():
            number = 6 if isinstance(frames, ComputedFrames) else 60
            timed = [time_chunks(batches_of(frames, 64, n), number) for n in range(3)]
            rates = "".join(f"{rate:12.0f}" for rate, _ in timed)
            print(f"{title:32}{timed[0][1]:9.3f}{rates}", flush=True)
        print(f"\n{'bare step in ms, fed / bare':32}", end="")
        print("".join(f"{f'workers {n}':>17}" for n in range(3)))
        for network in args.networks:
            step = stepper(network, device)
            for title in ("stored, cached", "audio, all and babble"):
                print(f"{f'{network}: {title}':40}", end="")
                for num_workers in range(3):
                    batches = batches_of(sources[title], args.batch_size, num_workers)
                    compare(step, batches, args.rounds, args.steps)
                print()


if __name__ == "__main__":
    main()
