"""egs/voxceleb/v1 and v2 as a user runs them, on VoxCeleb's layout in miniature."""

import itertools
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from asdkit.base.options import choice_of
from asdkit.bin import nnet_train
from asdkit.features.registry import FRONT_ENDS
from asdkit.io.trials import read_scores, read_trials
from asdkit.losses.registry import LOSSES
from asdkit.models.networks import load_network
from asdkit.nnet.registry import MODELS
from asdkit.simulation.corpus import DrawnCorpus
from asdkit.training.objectives import OBJECTIVES

ROOT = Path(__file__).parents[2]
TINY = """\
--channels=8
--embedding-dim=8
--batch-size=8
--num-epochs=1
--learning-rate=0.01
--final-rate=0.001
--num-workers=0
"""
STUDENT = """\
--network=xvector
--features=fbank
--num-mel-bins=20
--chunk-frames=50
"""
TEACHER = """\
--network=ssl_ecapa
--features=waveform
--chunk-frames=8240
"""
WAVLM = {  # as small as it gets; the strides are those of the large ones
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "conv_dim": (8,) * 7,
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 2,
    "do_stable_layer_norm": True,
    "feat_extract_norm": "layer",
}
META = {
    "vox1": "VoxCeleb1 ID\tVGGFace1 ID\tGender\tNationality\tSet\n",
    "vox2": "VoxCeleb2 ID ,VGGFace2 ID ,Gender,Set \n",
}
LINE = {"vox1": "{}\tA_Name\t{}\tNorway\t{}\n", "vox2": "{} ,n000001 ,{} ,{}\n"}


def draw(root, name, layout, num_spks, prefix):
    """Draw speakers, and put them where a corpus has them; the last four are test."""
    corpus = DrawnCorpus(num_spks, 2, 2, mean_sec=1.2, prefix=prefix)
    files, genders = {}, {}
    for utterance in corpus.utterances():
        spk, session, number = utterance.utt.split("-")
        part = "dev" if int(spk[-4:]) <= num_spks - 4 else "test"
        file = f"{spk}/video-{session}_/000{number}.wav"
        path = root / layout.format(part) / file
        if name == "vox2":  # as local/convert_m4a.sh leaves it
            path = path.with_suffix(".flac")
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, corpus.speak(utterance), 16000)
        files[file] = spk
        genders[spk] = LINE[name].format(spk, utterance.gender, part)
    (root / f"{name}_meta.csv").write_text(META[name] + "".join(genders.values()))
    return files


def write_list(path, files, keep):
    """Write all pairs of files that may be together, as VoxCeleb writes them."""
    pairs = itertools.combinations(sorted(files), 2)
    lines = [f"{int(files[a] == files[b])} {a} {b}\n" for a, b in pairs if keep(a, b)]
    path.write_text("".join(lines))


def same_gender(first, second):
    """Odd speakers are women, even ones men."""
    return (int(first[6]) - int(second[6])) % 2 == 0


@pytest.fixture(scope="module")
def corpora(tmp_path_factory):
    """VoxCeleb1 and 2, MUSAN and RIRS_NOISES; the options that name them."""
    root = tmp_path_factory.mktemp("corpora")
    vox1, vox2 = root / "voxceleb1", root / "voxceleb2"
    draw(vox2, "vox2", "{}/aac", 9, "id0")
    files = draw(vox1, "vox1", "vox1_{}_wav/wav", 7, "id1")
    test = {file: spk for file, spk in files.items() if spk > "id10003"}
    write_list(vox1 / "veri_test.txt", test, same_gender)
    test.popitem()
    write_list(vox1 / "veri_test2.txt", test, same_gender)
    write_list(vox1 / "list_test_all2.txt", files, lambda *_: True)
    write_list(vox1 / "list_test_hard2.txt", files, same_gender)

    rng = np.random.default_rng(0)
    names = ["music/fma/music-fma-0000", "noise/free-sound/noise-free-sound-0000"]
    names += ["speech/librivox/speech-librivox-0000"]
    paths = [root / "musan" / f"{name}.wav" for name in names]
    rooms = root / "RIRS_NOISES" / "simulated_rirs"
    for size in ("small", "medium", "large"):
        paths.append(rooms / f"{size}room" / "Room001" / "Room001-00001.wav")
    for path in paths:
        path.parent.mkdir(parents=True)
        soundfile.write(path, rng.normal(0, 0.1, 16000), 16000)
    annotations = root / "musan" / "music" / "fma" / "ANNOTATIONS"
    annotations.write_text("music-fma-0000 jazz N somebody\n")
    return {
        **{"--voxceleb1": vox1, "--voxceleb2": vox2},
        **{"--musan": root / "musan", "--rirs": root / "RIRS_NOISES"},
    }


@pytest.fixture(scope="module")
def recipes(tmp_path_factory, copied):
    """Copy the recipes and what they source; return the directory of both."""
    here = copied(tmp_path_factory.mktemp("asdkit"), "voxceleb")
    (here / "v2" / "conf" / "tiny.conf").write_text(TINY + STUDENT)
    (here / "v2" / "conf" / "tiny_ssl.conf").write_text(TINY + TEACHER)
    return here


@pytest.fixture
def wavlm(tmp_path, torchaudio):
    """A WavLM with random weights, as transformers saves it."""
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    model = transformers.WavLMModel(transformers.WavLMConfig(**WAVLM))
    model.save_pretrained(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def i_vectors(corpora, recipes, by_stage):
    """Run v1 to its end, once; return what it prints."""
    sizes = "--num-gauss 4 --subsample 1 --num-longest 20 --ivector-dim 6"
    sizes += " --num-iters 1 --lda-dim 4"
    where = list(corpora.items())[:2]
    return by_stage(recipes / "v1", *itertools.chain(*where), *sizes.split())


def run(recipe, *options):
    command = ["./run.sh", *options]
    done = subprocess.run(command, cwd=recipe, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def systems(table):
    """Read the first column: the names of the score files."""
    return re.findall(r"^exp/\S*/(\S+) ", table, re.MULTILINE)


def num_utts(data_dir):
    return len((data_dir / "utt2spk").read_text().splitlines())


CONF = ROOT / "egs" / "voxceleb" / "v2" / "conf"
OBJECTIVE_CONFS = {
    **{name: "labels" for name in ("labels", "labels_speed", "large_margin")},
    **{name: "cosine" for name in ("cosine", "cosine_clean")},
    **{name: name for name in ("mse", "kl", "decoupled_kd")},
}
NETS = sorted({path.stem for path in CONF.glob("*.conf")} - {"train", "backend"})
NETS = [name for name in NETS if name not in OBJECTIVE_CONFS]


# The prototypical loss of resnet34_fast has no margin.
PAIRS = [(net, x) for net in NETS for x in OBJECTIVE_CONFS]
PAIRS.remove(("resnet34_fast", "large_margin"))


@pytest.mark.parametrize(("net", "objective"), PAIRS)
def test_every_conf_of_v2_says_what_nnet_train_takes(net, objective, parse_conf):
    names = ["train", net, objective]
    args = parse_conf(nnet_train, [f"--config={CONF / name}.conf" for name in names])
    assert args.objective == OBJECTIVE_CONFS[objective]
    for flag, choices in {
        "network": MODELS,
        "loss": LOSSES,
        "objective": OBJECTIVES,
        "features": FRONT_ENDS,
    }.items():
        choice_of(args, flag, choices)  # refuses what the chosen one does not have


@pytest.mark.slow
def test_v1_ends_in_tables_of_both_lists(recipes, i_vectors):
    data = recipes / "v1" / "data"
    expected = [
        f"{trials}_{backend}"
        for trials in ("trials", "trials_cleaned")
        for backend in ("plda", "whitened_cosine", "cosine")
    ]
    assert systems(i_vectors) == expected
    assert num_utts(data / "train") == 3 * 4 + 9 * 4
    assert num_utts(data / "train_longest") == 20
    assert len(read_trials(data / "test" / "trials")) == 2 * 28
    assert len(read_trials(data / "test" / "trials_cleaned")) == 28 + 21


@pytest.mark.slow
def test_v2_takes_a_student_from_its_teacher_to_calibrated_scores(
    corpora, recipes, wavlm, by_stage
):
    recipe = recipes / "v2"
    options = [*itertools.chain(*corpora.items()), "--utts-per-dev-spk", "3"]
    options += ["--net", "tiny_ssl", "--ssl-checkpoint", wavlm]
    run(recipe, *options, "--stop-stage", "2")
    options = ["--net", "tiny", "--teacher", recipe / "exp/tiny_ssl_labels_seed0"]
    options += ["--objective", "decoupled_kd", "--seed", "1"]
    table = by_stage(recipe, *options, first=2)
    kinds = ("", "_as_norm", "_calibrated")
    assert systems(table) == [f"scores_{x}{kind}" for x in "oeh" for kind in kinds]
    assert num_utts(recipe / "data" / "train") == 5 * 4
    assert num_utts(recipe / "data" / "eval") == 7 * 4 + 4 * 3
    scores = recipe / "exp" / "tiny_decoupled_kd_seed1" / "scores_e_calibrated"
    assert len(read_scores(scores)) == 28 * 27 / 2

    short = (recipe / "conf" / "large_margin.conf").read_text()
    short = short.replace("=600", "=60").replace("-size=128", "-size=8")
    (recipe / "conf" / "large_margin.conf").write_text(short)
    only = ["--stage", "2", "--stop-stage", "2", "--net", "tiny"]
    run(recipe, *only, "--objective", "labels_speed")
    start = recipe / "exp" / "tiny_labels_speed_seed0" / "network.pt"
    run(recipe, *only, "--objective", "large_margin", "--init-from", start)
    tuned = load_network(recipe / "exp" / "tiny_large_margin_seed0" / "network.pt")
    assert tuned.options["loss"]["margin"] == 0.5
    assert len(tuned.options["classes"]) == 3 * 5


@pytest.mark.slow
def test_a_student_of_v2_learns_the_i_vectors_of_v1(corpora, recipes, i_vectors):
    recipe = recipes / "v2"
    if not (recipe / "data" / "rirs").exists():
        options = itertools.chain(*corpora.items())
        run(recipe, *options, "--utts-per-dev-spk", "3", "--stop-stage", "1")
    ivectors = "../v1/exp/ivectors_6"
    options = ["--net", "tiny", "--objective", "mse"]
    options += ["--teacher", f"ark:{ivectors}/train/ivector.ark"]
    options += ["--teacher-backend", f"{ivectors}/cosine.npz"]
    run(recipe, "--stage", "2", "--stop-stage", "2", *options)
    assert (recipe / "exp" / "tiny_mse_seed0" / "network.pt").exists()


def test_conversion_makes_a_tree_that_can_be_listed(tmp_path, recipes):
    """With a program in ffmpeg's place that counts how often it is called."""
    source, converted = tmp_path / "vox2", tmp_path / "vox2_flac"
    file = Path("dev/aac/id00012/21Uxsk56VDQ/00001.m4a")
    (source / file).parent.mkdir(parents=True)
    soundfile.write(source / file, np.zeros(1600), 16000, format="FLAC")
    (source / "vox2_meta.csv").write_text(META["vox2"])
    ffmpeg = tmp_path / "bin" / "ffmpeg"
    ffmpeg.parent.mkdir()
    calls = tmp_path / "calls"
    ffmpeg.write_text(f'#!/bin/sh\necho >>{calls}\ncp "$6" "${{13}}"\n')
    ffmpeg.chmod(0o755)
    script = recipes / "v1" / "local" / "convert_m4a.sh"
    for _ in range(2):
        subprocess.run(
            [script, source, converted, "2"],
            env={"PATH": f"{ffmpeg.parent}:/usr/bin:/bin"},
            check=True,
        )
    assert soundfile.info(converted / file.with_suffix(".flac")).frames == 1600
    assert (converted / "vox2_meta.csv").exists()
    assert calls.read_text() == "\n"
