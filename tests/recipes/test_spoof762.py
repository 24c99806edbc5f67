"""egs/spoof762/v1 as a user runs it, on speechocean762's layout in miniature."""

import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import soundfile

from asdkit.base.errors import AsdkitError
from asdkit.base.options import choice_of
from asdkit.bin import cm_train
from asdkit.corpora.leaks import check_leaks
from asdkit.features.registry import FRONT_ENDS
from asdkit.io.tables import read_table
from asdkit.losses.registry import LOSSES
from asdkit.nnet.registry import MODELS
from asdkit.simulation.attacks import ATTACKS
from asdkit.simulation.corpus import DrawnCorpus

ROOT = Path(__file__).parents[2]
RECIPE = ROOT / "egs" / "spoof762" / "v1"
NETS = sorted(
    path.stem
    for path in (RECIPE / "conf").glob("*.conf")
    if "--network" in path.read_text()
)
FEW = """\
# attack family speaker parts
lpc LPC keeps train,dev,eval
phase_vocoder phase-vocoder keeps train,eval
playback replay keeps dev,eval
espeak formants own eval
piper VITS own eval
wsola WSOLA keeps more
"""
TINY = """\
--network=lcnn
--channels=4
--embedding-dim=8
--features=lfcc
--delta-order=2
--chunk-frames=50
--batch-size=8
--num-epochs=4
--patience=1
--averaging=best
"""
SIZES = "--num-gauss 4 --asv-num-gauss 4 --ivector-dim 4 --lda-dim 2 --num-enroll 1"
TEXTS = ("ONE TWO THREE", "WE CALL IT BEAR", "SIX ONE SIX ZERO")


def attacks_of(text):
    """Read conf/attacks.txt: attack -> family, speaker, parts."""
    rows = [line.split() for line in text.splitlines() if not line.startswith("#")]
    return {name: (*row, parts.split(",")) for name, *row, parts in rows}


@pytest.fixture
def corpus(tmp_path):
    """Draw speakers of several ages, and list them as speechocean762 does."""
    root = tmp_path / "corpus"
    for part, num_spks in ("train", 7), ("test", 4):
        drawn = DrawnCorpus(num_spks, 1, 3, mean_sec=1.5, prefix=part)
        tables = {name: {} for name in ("wav.scp", "utt2spk", "text")}
        genders, ages = {}, {}
        for number, utterance in enumerate(drawn.utterances()):
            name = f"WAVE/{utterance.spk}/{utterance.utt}.flac"
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(root / name, drawn.speak(utterance), 16000)
            tables["wav.scp"][utterance.utt] = name
            tables["utt2spk"][utterance.utt] = utterance.spk
            tables["text"][utterance.utt] = TEXTS[number % 3]
            genders[utterance.spk], ages[utterance.spk] = utterance.gender, number + 6
        tables |= {"spk2gender": genders, "spk2age": ages}
        (root / part).mkdir()
        for name, table in tables.items():
            lines = (f"{key} {value}\n" for key, value in sorted(table.items()))
            (root / part / name).write_text("".join(lines))
    return root


@pytest.fixture
def recipe(tmp_path, copied):
    """Copy the recipe and what it sources; return its directory."""
    here = copied(tmp_path, "spoof762/v1")
    (here / "conf" / "tiny.conf").write_text(TINY)
    (here / "conf" / "attacks.txt").write_text(FEW)
    return here


def run(recipe, *options):
    command = ["./run.sh", *SIZES.split(), "--net", "tiny", *options]
    done = subprocess.run(command, cwd=recipe, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return done


def is_installed(name):
    try:
        ATTACKS[name].check()
    except AsdkitError:
        return False
    return True


@pytest.mark.parametrize("net", NETS)
def test_every_conf_says_what_cm_train_takes_and_trains_long_enough(net, parse_conf):
    args = parse_conf(cm_train, [f"--config={RECIPE}/conf/{net}.conf"])
    choices = {"network": MODELS, "loss": LOSSES, "features": FRONT_ENDS}
    for flag, known in choices.items():
        choice_of(args, flag, known)  # refuses what the chosen one does not have
    steps_per_epoch = 3600 // args.batch_size
    assert (args.patience + 1) * steps_per_epoch >= 1840
    assert args.num_epochs > args.patience


def test_attacks_are_known_and_families_unseen_in_training_are_many():
    attacks = attacks_of((RECIPE / "conf" / "attacks.txt").read_text())
    assert len(attacks) >= 10
    assert attacks.keys() <= ATTACKS.keys()
    parts = {}
    for family, speaker, where in attacks.values():
        assert speaker in ("keeps", "own")
        assert set(where) <= {"train", "dev", "eval"} or where == ["more"]
        parts.setdefault(family, set()).update(where)
    unseen = {family for family, where in parts.items() if where == {"eval"}}
    assert {"LPC", "phase-vocoder", "VITS"} <= unseen
    for name, (_, speaker, _) in attacks.items():
        assert (speaker == "own") == ATTACKS[name].needs_text


def test_speakers_are_dealt_by_sex_and_age_and_never_shared(corpus, tmp_path):
    command = [sys.executable, "local/split_speakers.py", "--num-enroll", "1"]
    subprocess.run([*command, corpus, tmp_path / "lists"], cwd=RECIPE, check=True)
    utts = {
        path.name: path.read_text().split() for path in (tmp_path / "lists").iterdir()
    }
    spks = {name: {utt[:9] for utt in listed} for name, listed in utts.items()}
    assert {name: len(x) for name, x in utts.items()} == {
        "train_real": 15, "dev_real": 6, "enroll": 4, "claims_real": 8,
    }  # fmt: skip
    assert spks["enroll"] == spks["claims_real"]
    assert not spks["train_real"] & spks["dev_real"]
    assert not (spks["train_real"] | spks["dev_real"]) & spks["claims_real"]
    sexes = read_table(corpus / "train" / "spk2gender")
    of_dev = {sexes[spk] for utt in utts["dev_real"] for spk in sexes if spk in utt}
    assert of_dev == {"f", "m"}


@pytest.mark.slow
def test_the_corpus_is_made_and_ends_in_tables_of_both_groups(
    corpus, recipe, by_stage, monkeypatch
):
    monkeypatch.chdir(recipe)  # data directories have relative paths
    said = run(recipe, "--corpus", corpus, "--stop-stage", "1").stderr
    for name, (*_, parts) in attacks_of(FEW).items():
        lines = re.findall(rf"WARNING.* {name} is left out: .*", said)
        assert len(lines) == len(parts) * (not is_installed(name))
    options = ["--baselines", "lfcc", "--net", "tiny", *SIZES.split()]
    printed = by_stage(recipe, *options, first=2)
    for part, number in ("train", 2), ("dev", 1), ("eval", 3):
        counts = Counter(read_table(recipe / "data" / part / "utt2attack").values())
        wanted = attacks_of(FEW).items()
        made = {x for x, row in wanted if part in row[2] and is_installed(x)}
        assert set(counts) == made | {"bonafide"}
        spoofs = counts.total() - counts["bonafide"]
        assert spoofs == min(number, len(made)) * counts["bonafide"]
        check_leaks(recipe / "data" / part)
    assert printed.count("EER % of one number alone") == 4
    rows = re.findall(r"^\| (.*) \|$", printed, re.MULTILINE)
    rows = [row.split(" | ") for row in rows]
    assert rows[0][2:] == [
        *("dev EER %", "keeps speaker: EER %", "keeps, not trained on: EER %"),
        *(
            ["own voice: EER %"]
            if is_installed("espeak") or is_installed("piper")
            else []
        ),
        *("keeps speaker, coded", "min t-DCF(2019)"),
    ]
    assert [name for name, *_ in rows].count("lfcc_gmm") == 4
    keeping = set(read_table(recipe / "data/eval_keeps/utt2attack").values())
    assert keeping == {"bonafide", "lpc", "phase_vocoder", "playback"}
    codecs = set(read_table(recipe / "data/eval_coded/utt2codec").values())
    assert codecs <= {"none", "alaw", "ulaw", "gsm", "g722", "opus"}

    options = ["--stage", "6", "--stop-stage", "6", "--baselines", "lfcc"]
    run(recipe, *options, "--without", "LPC")
    kept = set(read_table(recipe / "data/train_without_LPC_lfcc/utt2attack").values())
    assert kept == {"bonafide", "phase_vocoder"}
    assert (recipe / "exp/without_LPC/lfcc_gmm/seed0/scores_eval").exists()

    options = ["--more", "true", "--parts", "", "--stage"]
    run(recipe, *options, "1", "--stop-stage", "1")
    run(recipe, *options, "7", "--stop-stage", "8")
    before, after = (
        read_table(recipe / f"data/{name}/utt2attack")
        for name in ("train", "train_more")
    )
    assert after.items() > before.items()
    assert {*after.values()} == {*before.values(), "wsola"}
    check_leaks(recipe / "data" / "train_more")
    assert (recipe / "exp/tiny_more/seed0/scores_eval_coded").exists()


@pytest.mark.slow
def test_scores_are_kept_and_brought_back(recipe):
    """And never overwritten by fewer, or over those of a new training."""
    utts = [f"u{n}" for n in range(6)]
    for part in ("dev", "eval", "eval_coded"):
        (recipe / "data" / part).mkdir(parents=True)
        attacks = "".join(f"{x} {'bonafide' if x < 'u3' else 'lpc'}\n" for x in utts)
        (recipe / "data" / part / "utt2attack").write_text(attacks)
        codecs = "".join(f"{x} none\n" for x in utts)
        (recipe / "data" / part / "utt2codec").write_text(codecs)
        for seed in range(2):
            dir = recipe / "exp" / "lcnn" / f"seed{seed}"
            dir.mkdir(parents=True, exist_ok=True)
            lines = (f"{x} {hash((x, part, seed)) % 97 / 7:.7g}\n" for x in utts)
            (dir / f"scores_{part}").write_text("".join(lines))
    shutil.rmtree(recipe / "results" / "scores", ignore_errors=True)  # those of others
    (recipe / "exp" / "not_scored" / "seed0").mkdir(parents=True)
    keep = ["local/keep_scores.sh"]
    subprocess.run([*keep, "pack"], cwd=recipe, check=True)
    tables = run(recipe, "--stage", "11", "--stop-stage", "11").stdout
    archives = {x: x.read_bytes() for x in (recipe / "results/scores").iterdir()}
    assert {x.name for x in archives} == {"lcnn.tar.xz", "trials.tar.xz"}

    shutil.rmtree(recipe / "exp" / "lcnn" / "seed1")
    subprocess.run([*keep, "pack"], cwd=recipe, check=True)
    assert {x: x.read_bytes() for x in archives} == archives
    shutil.rmtree(recipe / "data")
    subprocess.run([*keep, "unpack"], cwd=recipe, check=True)
    assert run(recipe, "--stage", "11", "--stop-stage", "11").stdout == tables
    (recipe / "exp/lcnn/seed0/scores_dev").write_text("of a new training")
    subprocess.run([*keep, "unpack"], cwd=recipe, check=True)
    assert (recipe / "exp/lcnn/seed0/scores_dev").read_text() == "of a new training"


def test_a_family_that_is_not_there_is_named():
    command = ["local/leave_out.sh", "Nonesuch", "data/train", ""]
    done = subprocess.run(command, cwd=RECIPE, capture_output=True, text=True)
    assert done.returncode == 2
    assert "no family Nonesuch in conf/attacks.txt" in done.stderr
