"""Time whole programs, start-up included, beside peers that do the same.

    python tools/bench/programs.py --data data/test        all rows
    python tools/bench/programs.py --data data/test MFCC   rows whose names have this

Every run is a process of its own on one thread.  CPU seconds count, user and system, as
the operating system has them of a process that has ended; sides alternate, and a figure
is the median of the rounds.  Peak memory is the largest of a side.

Kaldi's CPU seconds are **frozen**: those of another machine and day (Kaldi 5.5 with
OpenBLAS 0.3.21 on an AMD Zen 5, 2026-11-30), so that only units compare.  A unit is 100
Gflop of NumPy's float32 matrix product on one thread: 0.388 s there, and here what is
measured in the same run.  Features, text and start-up do not scale as matrix products
do, so these ratios are rough.  Where compute-mfcc-feats is on PATH, it is timed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
CONF = HERE.parents[1] / "egs/speechocean762/v1/conf/mfcc.conf"
THEN = 100 / 258  # seconds of a unit where the frozen figures were measured
# Beside what posteriors.py and ivector.py measure: 2,048 Gaussians of 72 dimensions.
FROZEN = {
    "gselect and posteriors, per hour of audio": 16.5,
    "E-step at dimension 400, per utterance of 8 s": 0.577,
    "M-step at dimension 400, with reading and writing": 78.0,
    "extraction from posteriors, per utterance of 8 s, objective off": 0.225,
}
NUM_TRIALS = 1_000_000
PER_TRIAL = "sklearn per trial"
Command = Sequence[str]
START = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss)
sys.exit(done.returncode)
"""


class Cost(NamedTuple):
    """What a run has cost: seconds of CPU, MiB at the peak."""

    cpu_sec: float
    peak_mib: float


class Row(NamedTuple):
    """A task.

    Attributes:
        name: with its size.
        ours: programs, one after the other.
        peers: name -> command.
        frozen: name -> seconds on the other machine, where its program is not here.
        accuracy: says how near the results are, after the last round.
    """

    name: str
    ours: Sequence[Command]
    peers: Mapping[str, Command] = {}
    frozen: Mapping[str, float] = {}
    accuracy: Callable[[], str] | None = None


def run(command: Command) -> Cost:
    """Run a process to its end.

    A small process starts it, as the system counts the parent's memory, too.
    """
    one = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
    env = {**os.environ, **one, "PYTHONDONTWRITEBYTECODE": ""}
    argv = [sys.executable, "-S", "-c", START, *command]
    done = subprocess.run(argv, capture_output=True, text=True, env=env)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: {done.stderr[-500:]}")
    cpu_sec, peak_kib = done.stdout.split()[-2:]
    return Cost(float(cpu_sec), float(peak_kib) / 1024)


def reference() -> tuple[float, float]:
    """Seconds of CPU of a unit, and of 10,000 FFTs of 512 float32, of NumPy."""
    from asdkit.base.blas import choose_kernels

    choose_kernels()
    import numpy as np

    rng = np.random.default_rng(0)
    a, x = (
        rng.standard_normal(n, dtype=np.float32) for n in ((2048, 2048), (10000, 512))
    )
    flop, gemm, fft = 2 * 2048**3, [], []
    for _ in range(4):
        start = time.process_time()
        a @ a
        gemm.append((time.process_time() - start) * 1e11 / flop)
        start = time.process_time()
        np.fft.rfft(x)
        fft.append(time.process_time() - start)
    return statistics.median(gemm), statistics.median(fft)


def asdkit(line: str, *paths: object) -> Command:
    """Make the command of a program."""
    return [sys.executable, "-m", "asdkit", *line.split(), *map(str, paths)]


def peer(line: str, *paths: object) -> Command:
    """Make the command of a peer."""
    return [sys.executable, str(HERE / "peers.py"), *line.split(), *map(str, paths)]


def rows_of_audio(data: Path, out: Path) -> list[Row]:
    """Features and speech of a data directory."""
    from asdkit.io.ark import read_arrays
    from asdkit.io.tables import read_table

    # Programs write feats.scp and vad.scp there.
    data = Path(shutil.copytree(data, out / "data"))
    num_frames = map(int, read_table(data / "utt2num_frames").values())
    hours = sum(num_frames) / 360_000
    ours, wav = out / "mfcc", data / "wav.scp"

    def accuracy() -> str:
        import numpy as np

        found = dict(read_arrays(f"scp:{ours}/feats.scp"))
        told = []
        for name in ("knf", "torchaudio"):
            theirs = read_arrays(f"ark:{out}/{name}.ark")
            apart = [np.abs(x - found[utt]).max() for utt, x in theirs]
            told.append(f"{name} {np.median(apart):.1e}")
        return "largest difference, median of utterances: " + ", ".join(told)

    tools = {
        "kaldi-native-fbank": "knf",
        "torchaudio": "torchaudio",
        "lhotse": "lhotse",
    }
    peers = {x: peer(f"mfcc-{y}", wav, out / f"{y}.ark") for x, y in tools.items()}
    size = f"{hours:.2f} h of audio, WAV files to archive"
    here, frozen = {}, {"Kaldi": 52 / 6.1 * hours}
    if binary := shutil.which("compute-mfcc-feats"):
        files = f"scp:{wav}", f"ark:{out}/kaldi.ark"
        here, frozen = {"Kaldi": [binary, f"--config={CONF}", *files]}, {}
    plain, dither = (
        asdkit(f"feats-compute --config {CONF} --dither {x}", data, y)
        for x, y in ((0, ours), (1, out / "dither"))
    )
    return [
        Row(f"MFCC, dither 0, {size}", [plain], peers, accuracy=accuracy),
        Row(f"MFCC, dither 1, {size}", [dither], here, frozen),
        Row(
            f"VAD by energy, {hours:.2f} h", [asdkit("vad-compute", data, out / "vad")]
        ),
    ]


def write_scoring(out: Path, num_trials: int) -> None:
    """Draw vectors, back-ends and trials of which a tenth of all pairs are listed."""
    import numpy as np

    from asdkit.backends.cosine import Cosine
    from asdkit.backends.pipeline import Pipeline
    from asdkit.backends.plda import Plda
    from asdkit.io.ark import ArkWriter
    from asdkit.io.store import save_arrays
    from asdkit.io.tables import write_table
    from asdkit.io.trials import Trials, write_trials

    rng = np.random.default_rng(0)
    speaker = np.sort(rng.integers(0, 300, 14143))
    voices = 0.5 * rng.normal(size=(300, 200))
    x = (voices[speaker] + rng.normal(size=(14143, 200))).astype(np.float32)
    utts = [f"spk{k:03d}-session{i % 7}-{i:05d}" for i, k in enumerate(speaker)]
    with ArkWriter(out, "vectors") as writer:
        for utt, vector in zip(utts, x, strict=True):
            writer[utt] = vector
    write_table(out / "utt2spk", {utt: utt.partition("-")[0] for utt in utts})
    for name, step in (("plda", Plda(num_iters=2)), ("cosine", Cosine())):
        fitted = Pipeline([step]).fit(x[:4000].astype(float), speaker[:4000])
        save_arrays(out / f"{name}.npz", "Pipeline", *fitted.to_state())
    pairs = np.sort(rng.choice(5000 * 5000, num_trials, replace=False))
    first, second = pairs // 5000, pairs % 5000
    some = rng.permutation(len(utts))[:5000]
    names, same = [utts[i] for i in some], speaker[some[first]] == speaker[some[second]]
    for name in ("trials", "trials.npz"):
        write_trials(out / name, Trials(names, names, first, second, same))


def rows_of_scores(out: Path, num_trials: int) -> list[Row]:
    """Scores and metrics of trials."""
    size, vectors = (
        f"{num_trials:.0e} trials".replace("e+0", "e"),
        f"scp:{out}/vectors.scp",
    )

    def score(name: str, form: str = "") -> Command:
        return asdkit("backend-score", out / f"{name}.npz", out / f"trials{form}",
                      vectors, out / f"{name}_scores{form}")  # fmt: skip

    def metrics(form: str = "") -> Command:
        return asdkit(
            "score-metrics", out / f"trials{form}", out / f"plda_scores{form}"
        )

    loop = peer("min-dcf", out / "trials", out / "plda_scores")
    sklearn = peer("cosine", out / "trials", out / "vectors.scp", "some")
    pairs = asdkit("backend-metrics", out / "plda.npz", out / "utt2spk", vectors)
    return [
        Row(f"PLDA, {size}, text to text", [score("plda")],
            frozen={"Kaldi": 9.8 * num_trials / 1e6}),
        Row(f"PLDA, {size}, binary to binary", [score("plda", ".npz")]),
        Row(f"cosine, {size}, text to text", [score("cosine")],
            {f"{PER_TRIAL}, from 1/100 of them": sklearn}),
        Row(f"EER and minDCF, {size}, text", [metrics()],
            {"compute_min_dcf.py's way": loop}),
        Row(f"EER and minDCF, {size}, binary", [metrics(".npz")]),
        Row("PLDA, EER and minDCF, all 1e8 pairs", [pairs]),
    ]  # fmt: skip


def print_row(row: Row, num_rounds: int, unit: float) -> None:
    """Run a row, and print its lines of a Markdown table."""
    ours: list[Cost] = []
    theirs: dict[str, list[Cost]] = {name: [] for name in row.peers}
    for _ in range(num_rounds):
        parts = [run(command) for command in row.ours]
        cpu_sec, peak_mib = zip(*parts, strict=True)
        ours.append(Cost(sum(cpu_sec), max(peak_mib)))
        for name, command in row.peers.items():
            cost = run(command)
            if name.startswith(PER_TRIAL):  # all but the trials once, and these scaled
                start = run([*command[:-1], "none"]).cpu_sec
                cost = cost._replace(cpu_sec=start + 100 * (cost.cpu_sec - start))
            theirs[name].append(cost)

    def line(name: str, costs: list[Cost], ratio: str) -> str:
        cpu = statistics.median(cost.cpu_sec for cost in costs)
        peak = max(cost.peak_mib for cost in costs)
        return f"| {name} | {cpu:.2f} | {cpu / unit:.1f} | {peak:.0f} | {ratio} |"

    print(line(f"**{row.name}**", ours, ""))
    own = statistics.median(cost.cpu_sec for cost in ours)
    for name, costs in theirs.items():
        pairs = zip(costs, ours, strict=True)
        ratio = statistics.median(x.cpu_sec / y.cpu_sec for x, y in pairs)
        print(line(name, costs, f"{ratio:.1f}x"))
    for name, seconds in row.frozen.items():
        units = seconds / THEN
        ratio = f"{units / (own / unit):.1f}x in units"
        print(f"| {name}, frozen | {seconds:.2f} | {units:.1f} | | {ratio} |")
    if row.accuracy is not None:
        print(f"| *{row.accuracy()}* | | | | |")
    sys.stdout.flush()


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="with features (default: no audio)")
    parser.add_argument("--rounds", type=int, default=3, help="alternations")
    parser.add_argument("--num-trials", type=int, default=NUM_TRIALS)
    parser.add_argument("names", nargs="*", help="parts of names (default: all)")
    args = parser.parse_args()
    unit, fft = reference()
    print(
        f"Reference: 100 Gflop of GEMM {unit:.3f} s, 10,000 FFTs of 512 {fft:.4f} s.\n"
    )
    print("| | CPU s | units | MiB | theirs / ours |\n|---|--:|--:|--:|--:|")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        rows = rows_of_audio(args.data, out) if args.data else []
        scores = rows_of_scores(out, args.num_trials)
        rows = [
            row
            for row in [*rows, *scores]
            if not args.names or any(name in row.name for name in args.names)
        ]
        if {row.name for row in scores} & {row.name for row in rows}:
            write_scoring(out, args.num_trials)
        for row in rows:
            print_row(row, args.rounds, unit)
    for name, seconds in FROZEN.items():
        print(f"| Kaldi, frozen: {name} | {seconds} | {seconds / THEN:.2f} | | |")


if __name__ == "__main__":
    main()
