"""Scores of any toolkit beside an i-vector system on the same audio.

The system is trained by the programs of the recipes, each started as it would be by
hand: what is logged can be pasted.  What is complete is not made again, so that a
benchmark that was killed goes on.
"""

from __future__ import annotations

import json
import logging
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from asdkit.base.answers import Table
from asdkit.base.errors import AsdkitError, DataError
from asdkit.base.measured import Measured
from asdkit.base.ranges import (
    AnyPath,
    Count,
    FilePath,
    FolderPath,
    Natural,
    Positive,
    Probability,
)
from asdkit.data.manifests import read_manifests
from asdkit.io.files import write_atomic
from asdkit.io.ids import find_renaming
from asdkit.io.score_formats import read_scores_of
from asdkit.io.tables import PathName, read_words
from asdkit.io.trials import (
    Trials,
    match_scores,
    read_trials,
    write_scores,
    write_trials,
)
from asdkit.metrics.flavors import operating_points
from asdkit.metrics.metric_table import DIGITS
from asdkit.report.comparison import compare_systems, parse_system
from asdkit.report.recording import Run, record
from asdkit.training.sizes import choose_sizes
from asdkit.verification.evaluation import verification_metrics

logger = logging.getLogger(__name__)
OURS = "i-vectors"
TRIALS = "trials"
STDERR = 2  # file descriptor
UNSAFE = re.compile(r"[^\w.+-]+")  # in a folder's name
NARROW = 8000  # Hz; telephone speech has nothing above 3.7 kHz


class Step(NamedTuple):
    """A program to run unless its output is there.

    Attributes:
        output: what it writes last.
        words: its name, options and arguments.
    """

    output: Path
    words: list[str]


def benchmark(
    exp_dir: PathName,
    trials: str,
    test: str,
    scores: Sequence[str],
    train: FolderPath | None = None,
    baseline: AnyPath | None = None,
    backend: FilePath | None = None,
    p_target: tuple[Probability, ...] = (0.01,),
    c_miss: tuple[Positive, ...] = (1.0,),
    c_fa: tuple[Positive, ...] = (1.0,),
    bootstrap: Count = 1000,
    seed: Natural = 0,
    run: Callable[[Sequence[str]], None] | None = None,
) -> list[Table]:
    """Compare score files with an i-vector system that scores the same trials.

    Args:
        exp_dir: directory for the system and its scores.
        trials: ``<enroll> <test> target|nontarget``, or VoxCeleb's form.
        test: data directory with the audio of the trials.
        scores: [NAME=]FILE of other systems, as `asdkit.io.score_formats` reads them.
        train: data directory to train an i-vector system on, with other speakers.
        baseline: trained model to take instead: an extractor, or anything that
            trials-score takes.
        backend: back-end of the baseline; None: its own, or backend.npz beside it.
        p_target: prior of target trials in minDCF and actDCF; a list for several
            operating points, the first of which compares systems.
        c_miss: cost of rejecting a target; one, or one for every prior.
        c_fa: cost of accepting a nontarget; one, or one for every prior.
        bootstrap: number of bootstrap draws of speakers.
        seed: random seed of the training and the bootstrap.
        run: starts a program; None: in a process of its own.

    Returns:
        the tables of `compare_systems`, against the i-vector system.

    Raises:
        AsdkitError: there is neither a baseline nor training data, or both, priors
            and costs do not fit each other, or a program failed.
        DataError: a file is wrong, a trial has no audio, or speakers are in training
            and test.
        FitError: there is too little training data.
    """
    if (train is None) == (baseline is None):
        raise AsdkitError("expected --train DATA or --baseline MODEL, and not both")
    point, *_ = operating_points(p_target, c_miss, c_fa)
    exp = Path(exp_dir)
    _stamp(
        exp,
        {
            "trials": trials,
            "test": test,
            "train": train,
            "baseline": baseline,
            "backend": backend,
            "seed": seed,
        },
    )
    found = _with_ids_of(test, trials)
    data = exp / "data" / "test"
    own_trials, own_scores = data / TRIALS, _scores_of(exp, OURS)
    if baseline is not None:
        steps = [_with_baseline(baseline, backend, data, own_scores)]
    else:
        assert train is not None
        steps = list(_with_training(exp, train, test, seed))
    copied = Step(data / "utt2spk", ["data-subset", test, f"{data}"])
    for step in (copied, *steps):
        if step.output.exists():
            logger.info("benchmark: %s is there", step.output)
        else:
            (run or _run)(step.words)
        if step is copied:
            write_trials(own_trials, found)
    return compare_systems(
        own_trials,
        [f"{OURS}={own_scores}", *scores],
        "asvspoof2019",  # of a CM protocol, which trials are not
        *point,
        bootstrap=bootstrap,
        seed=seed,
    )


def _stamp(exp: Path, asked: dict[str, Any]) -> None:
    """Refuse a directory with a benchmark of something else.

    Raises:
        DataError: it says what was asked for then.
    """
    stamp = exp / "benchmark.json"
    if stamp.exists():
        before = json.loads(stamp.read_text(encoding="utf-8"))
        for name, value in asked.items():
            if before.get(name) != value:
                problem = (
                    f"it is a benchmark with {name} {before.get(name)}, not {value}"
                )
                raise DataError(exp, problem, hint="choose another --exp, or remove it")
    with write_atomic(stamp) as stream:
        stream.write(json.dumps(asked, indent=2) + "\n")


def write_page(
    exp_dir: PathName,
    scores: Sequence[str],
    p_target: Sequence[float] = (0.01,),
    c_miss: Sequence[float] = (1.0,),
    c_fa: Sequence[float] = (1.0,),
    digits: Natural = DIGITS,
) -> list[Table]:
    """Make the page of a benchmark, and warn where that fails.

    Scores of others are copied beside ours, and stay there: systems that a later run
    brings come on the same page.

    Args:
        exp_dir: directory of a benchmark that is done.
        scores: as in `benchmark`.
        p_target: as in `benchmark`, of the costs in results.json.
        c_miss: as in `benchmark`.
        c_fa: as in `benchmark`.
        digits: decimals of the metrics.

    Returns:
        the metrics of all systems; no table where the page fails.
    """
    exp = Path(exp_dir)
    values = {"p-target": p_target, "c-miss": c_miss, "c-fa": c_fa}
    words = ((f"--{name}", ",".join(map(str, x))) for name, x in values.items())
    costs = [word for pair in words for word in pair]
    try:
        paths = [_scores_of(exp, OURS), *_copy_scores(exp, scores)]
        trials = exp / "data" / "test" / TRIALS
        _run(["score-metrics", *costs, f"{trials}", *map(str, paths)])
        _run(["report", f"{exp}", "-o", f"{exp / 'report.html'}"])
        points = operating_points(p_target, c_miss, c_fa)
        return [verification_metrics(trials, paths, points=points, digits=digits)]
    except AsdkitError as error:
        logger.warning("benchmark: no page: %s", error)
        return []


def _copy_scores(exp: Path, scores: Sequence[str]) -> list[Path]:
    """Write the scores of others with our ids, and note where they are from.

    Raises:
        AsdkitError: two systems have names that differ in signs only.
    """
    trials_path = exp / "data" / "test" / TRIALS
    trials = read_trials(trials_path)
    copies: list[Path] = []
    for system in map(parse_system, scores):
        for number, path in enumerate(system.paths):
            seed = f"_seed{number}" if len(system.paths) > 1 else ""
            copy = _scores_of(exp, f"{system.name}{seed}")
            if copy in copies:
                raise AsdkitError(f"{copy} would be of two systems", hint="NAME=FILE")
            found = read_scores_of(trials, path)
            values = match_scores(trials, found, trials_path, path)
            copy.parent.mkdir(parents=True, exist_ok=True)
            write_scores(copy, trials, values)
            inputs = {"trials": [f"{trials_path}"], "scores": [path]}
            record(Run("benchmark", [f"{copy}"], inputs=inputs), None, Measured())
            copies.append(copy)
    return copies


def _scores_of(exp: Path, name: str) -> Path:
    """Name the file of a system's scores, whatever is in its name."""
    folder = UNSAFE.sub("_", name).strip("_.") or "_"
    return exp / "systems" / folder / "scores.npz"


def _with_ids_of(test: PathName, source: PathName) -> Trials:
    """Read trials, and give them the ids of the data directory.

    Raises:
        DataError: an utterance of the trials is not in it.
    """
    trials, known = read_trials(source), read_words(Path(test) / "utt2spk")
    sides = []
    for ids in (trials.enroll_ids, trials.test_ids):
        renamed = find_renaming(list(known), ids)
        names = {} if renamed is None else renamed.names
        sides.append([names.get(name, name) for name in ids])
        if missing := [name for name in sides[-1] if name not in known]:
            problem = f"{len(missing)} of its {len(ids)} utterances are not in {test}"
            hint = "the audio of both sides has to be in --test"
            raise DataError(source, f"{problem}, e.g. {missing[0]!r}", hint=hint)
    return replace(trials, enroll_ids=sides[0], test_ids=sides[1])


def _with_baseline(model: str, backend: str | None, data: Path, output: Path) -> Step:
    """Score the trials with a trained model."""
    beside = Path(model) / "backend.npz"
    if backend is None and beside.exists():
        backend = str(beside)
    options = [] if backend is None else ["--backend", backend]
    words = ["trials-score", *options, model, f"{data}", f"{data / TRIALS}"]
    words.append(f"{output}")
    return Step(output, words)


def _with_training(exp: Path, train: str, test: str, seed: int) -> Iterator[Step]:
    """List the programs that train an i-vector system and score the trials."""
    utt2spk, of_test = (read_words(Path(x) / "utt2spk") for x in (train, test))
    if both := sorted(set(utt2spk.values()) & set(of_test.values())):
        problem = f"{len(both)} of its speakers are in {test}, too, e.g. {both[0]!r}"
        raise DataError(train, problem, hint="test on other speakers")
    items = read_manifests(train).supervisions.values()
    minutes = sum(item.duration for item in items) / 60
    sizes = choose_sizes(len(set(utt2spk.values())), len(utt2spk), minutes)
    rates = {x.sampling_rate for x in read_manifests(test).recordings.values()}
    rate, high = (NARROW, 3700) if min(rates) <= NARROW else (16000, 7600)
    mfcc = f"--sample-frequency {rate} --low-freq 20 --high-freq {high} "
    mfcc += "--num-mel-bins 30 --num-ceps 24 --snip-edges false"
    down = ["--allow-downsample", "true"]
    data = exp / "data" / "train"
    yield Step(data / "utt2spk", ["data-subset", train, f"{data}"])
    for part in ("train", "test"):
        data, feats, vad = (exp / x / part for x in ("data", "mfcc", "vad"))
        words = ["feats-compute", *mfcc.split(), *down, f"{data}", f"{feats}"]
        yield Step(feats / "feats.scp", words)
        words = ["vad-compute", "--vad-energy-threshold", "5.5", f"{data}", f"{vad}"]
        yield Step(vad / "vad.scp", words)
    data, ubm, extractor = exp / "data" / "train", exp / "ubm", exp / "extractor"
    options = ["--num-gauss", f"{sizes.num_gauss}", "--seed", f"{seed}"]
    yield Step(ubm / "ubm.npz", ["ubm-train", *options, f"{data}", f"{ubm}"])
    options = ["--ivector-dim", f"{sizes.ivector_dim}", "--seed", f"{seed}"]
    words = ["ivector-train", *options, f"{data}", f"{ubm}", f"{extractor}"]
    yield Step(extractor / "extractor.npz", words)
    vectors = {}
    for part in ("train", "test"):
        out = exp / "ivectors" / part
        words = ["ivector-extract", f"{exp / 'data' / part}", f"{extractor}", f"{out}"]
        yield Step(out / "ivector.scp", words)
        vectors[part] = f"scp:{out / 'ivector.scp'}"
    plda = extractor / "backend.npz"
    options = ["--lda-dim", f"{sizes.lda_dim}", f"{data / 'utt2spk'}"]
    yield Step(plda, ["backend-train", *options, vectors["train"], f"{plda}"])
    trials, scores = exp / "data" / "test" / TRIALS, _scores_of(exp, OURS)
    words = ["backend-score", f"{plda}", f"{trials}", vectors["test"], f"{scores}"]
    yield Step(scores, words)


def _run(words: Sequence[str]) -> None:
    """Run a program of asdkit; its log, and what it prints, go to this one's log.

    Raises:
        AsdkitError: it failed, and has said why.
    """
    argv = [sys.executable, "-m", "asdkit", *words]
    done = subprocess.run(argv, stdout=STDERR, check=False)  # noqa: S603
    if done.returncode:
        command = shlex.join(["asdkit", *words])
        raise AsdkitError(f"{command}: failed with {done.returncode}, see above")
