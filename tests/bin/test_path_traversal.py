"""No id makes a program write, or remove, a file elsewhere than it was asked to."""

import gzip
import json
import shutil
from pathlib import Path

import pytest
import soundfile

from asdkit.__main__ import main
from asdkit.data.manifests import Utterance, read_utterances, write_utterances

PROGRAMS = [
    "noise-add data/in data/out exp/wav",
    "codec-apply data/in data/out exp/wav",
    "room-apply data/in data/out exp/wav",
    "spoof-simulate --attacks lpc data/in data/out exp/wav",
]


@pytest.fixture
def corpus(tmp_path, rng, monkeypatch):
    """Two utterances in here/, and a file outside of it that nobody may touch."""
    here = tmp_path / "outer" / "here"
    here.mkdir(parents=True)
    monkeypatch.chdir(here)
    for name in "ab":
        soundfile.write(f"{name}.wav", 0.1 * rng.standard_normal(8000), 16000)
    for name in ("x.flac", "x-lpc.flac"):
        Path("..", name).write_text("not ours")

    def write(utt="a", spk="s", other="b"):
        rows = [(utt, spk, "a.wav"), (other, "s", "b.wav")]
        write_utterances(
            "data/in",
            [Utterance(*row, False, 0.0, 0.5, 0, 16000, text="x") for row in rows],
        )

    return write


def spoil(path, **changes):
    """Change the first line of a manifest, as nobody of ours writes it."""
    with gzip.open(path, "rt") as stream:
        lines = [json.loads(line) for line in stream]
    lines[0] |= changes
    with gzip.open(path, "wt") as stream:
        stream.writelines(json.dumps(line) + "\n" for line in lines)


def outside():
    """What lies outside of here/."""
    return {
        path: path.read_text()
        for path in Path("../..").resolve().rglob("*")
        if path.is_file() and "here" not in path.parts
    }


def refused(command, capsys):
    """Run a command that must fail, with one line, and write nothing."""
    before = outside()
    assert main(command.split()) == 1
    lines = [x for x in capsys.readouterr().err.splitlines() if " INFO [" not in x]
    assert len(lines) <= 2, lines
    assert outside() == before
    assert not Path("data/out").exists()
    assert not Path("exp").exists()
    return lines[0]


@pytest.mark.parametrize("command", [*PROGRAMS, "data-copy data/in data/out"])
@pytest.mark.parametrize("name", ["../../../x", "..", "a/../../../../x", "a\0b"])
@pytest.mark.parametrize("field", ["id", "speaker", "recording_id"])
def test_ids_of_a_manifest_do_not_lead_elsewhere(field, name, command, corpus, capsys):
    corpus()
    if field == "recording_id":
        spoil("data/in/recordings.jsonl.gz", id=name)
    spoil("data/in/supervisions.jsonl.gz", **{field: name})
    error = refused(command, capsys)
    assert "s.jsonl.gz:1: " in error
    assert "expected an id" in error


@pytest.mark.parametrize("command", PROGRAMS)
@pytest.mark.parametrize("name", ["/x", "a//b", "./a", "y" * 252])
def test_ids_that_name_no_file_are_refused_where_they_would(
    name, command, corpus, capsys
):
    corpus(utt=name)
    assert main(["feats-compute", "data/in", "feats"]) == 0  # they name none here
    capsys.readouterr()
    assert "expected an id" in refused(command, capsys)


@pytest.mark.parametrize("command", PROGRAMS)
def test_two_utterances_do_not_become_one_file(command, corpus, capsys):
    corpus(utt="c", spk="s/b", other="b/c")
    assert "would both be written to exp/wav/s/b/c" in refused(command, capsys)


@pytest.mark.parametrize("command", PROGRAMS)
def test_ids_with_slashes_are_files_in_folders(command, corpus):
    corpus(utt="id10001/xyz/00001", spk="id10001")
    assert main(command.split()) == 0
    (path,) = Path("exp/wav/id10001/id10001/xyz").iterdir()
    assert path.name in ("00001.flac", "00001-lpc.flac")
    assert str(path) in {item.source for item in read_utterances("data/out")}


def test_an_earlier_run_does_not_make_another_remove_files_elsewhere(corpus, capsys):
    """spoof-simulate removes what it made for other options."""
    corpus()
    run = "spoof-simulate --attacks lpc data/in data/made wav"
    assert main(run.split()) == 0
    capsys.readouterr()
    spoil("data/in/supervisions.jsonl.gz", id="../../../x")
    assert "expected an id" in refused(run.replace("made", "out"), capsys)


@pytest.mark.parametrize("prefix", ["../", "../../x/", "/", "/tmp/", "./", "a//"])
def test_a_prefix_does_not_make_such_ids(prefix, corpus, capsys):
    corpus()
    command = f"data-copy --utt-prefix {prefix} data/in data/out"
    assert "--utt-prefix: expected an id" in refused(command, capsys)


@pytest.mark.parametrize(
    "command",
    [
        "spoof-simulate --attacks lpc --ids ../x data/in data/out exp/wav",
        "spoof-simulate --attacks lpc --ids .. data/in data/out exp/wav",
        "spoof-simulate --attacks lpc --ids a\0b data/in data/out exp/wav",
        "speakers-draw --prefix ../x data/out exp/wav",
        "speakers-draw --prefix " + "x" * 260 + " data/out exp/wav",
    ],
)
def test_options_do_not_make_such_ids(command, corpus, capsys):
    corpus()
    assert "expected" in refused(command, capsys)


@pytest.mark.parametrize("row", ["../../../x s", "a ../..", "a\x1bb s"])
def test_tables_do_not_bring_such_ids(row, corpus, capsys):
    Path("lab").mkdir()
    Path("lab/utt2spk").write_text(f"b s\n{row}\n")
    Path("lab/wav.scp").write_text(f"b b.wav\n{row.split()[0]} a.wav\n")
    error = refused("kaldi-import lab data/out", capsys)
    assert "lab/utt2spk:2: expected an id" in error


def test_protocols_do_not_bring_such_ids(tmp_path, monkeypatch, capsys, rng):
    """A protocol's utterance is a file of its folder, or it is none."""
    monkeypatch.chdir(tmp_path)
    root = Path("LA")
    audio = root / "ASVspoof2019_LA_dev" / "flac"
    lists = root / "ASVspoof2019_LA_cm_protocols"
    for folder in (audio, lists):
        folder.mkdir(parents=True)
    soundfile.write("x.flac", 0.1 * rng.standard_normal(8000), 16000)
    shutil.copy("x.flac", audio / "a.flac")
    rows = ["s a - - bonafide", "s ../../../x - A01 spoof"]
    (lists / "ASVspoof2019.LA.cm.dev.trl.txt").write_text("\n".join(rows) + "\n")
    command = "spoof-prepare --corpus asvspoof2019_la --part dev LA data/out"
    assert main(command.split()) == 1
    said = capsys.readouterr().err
    assert "trl.txt:2: expected an id without '..', got '../../../x'" in said
