"""A table that was corrected beside the manifests that own it."""

import gzip
import os
import re
import shlex

import pytest
from lhotse import AudioSource, Recording, SupervisionSegment
from lhotse.kaldi import load_kaldi_data_dir

from asdkit.__main__ import main
from asdkit.base.errors import DataError
from asdkit.data.agreement import (
    read_plain,
    require_agreement,
    require_agreement_of,
)
from asdkit.data.manifests import (
    RECORDINGS,
    SUPERVISIONS,
    read_manifests,
    read_utterances,
    write_manifests,
)
from asdkit.kaldi.import_data import import_directory

EDITS = {
    "audio": ("wav.scp", "s0-u1.flac", "new.flac", 2, "'s0-u1' is 'new.flac', but"),
    "speaker": ("utt2spk", "s1-u0 s1", "s1-u0 s2", 6, "'s1-u0' is 's2', but 's1' in"),
    "added": ("utt2spk", "s2-u0 s2\n", "s2-u0 s2\nx x\n", 11, "'x' is not in the"),
    "dropped": ("utt2spk", "s0-u3 s0\n", "", None, "'s0-u3' of the manifests is not"),
}


def check_plain(data):
    """Do what vad-compute does, which does without lhotse."""
    require_agreement(data, *(read_plain(data / x) for x in (RECORDINGS, SUPERVISIONS)))


def edit(data, name, old, new):
    path = data / name
    assert path.read_text().count(old) == 1
    path.write_text(path.read_text().replace(old, new))


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize(
    ("name", "old", "new", "line", "problem"), EDITS.values(), ids=EDITS
)
def test_an_edited_table_is_told_with_both_cures(
    speech, name, old, new, line, problem, plain
):
    edit(speech, name, old, new)
    where = f"{speech}/{name}:" + (f"{line}: " if line else " ")
    read = check_plain if plain else read_manifests
    with pytest.raises(DataError, match=re.escape(f"{where}{problem}")) as caught:
        read(speech)
    assert f"asdkit kaldi-import {speech} {speech} takes over" in caught.value.hint
    assert f"asdkit data-validate --fix true {speech} writes" in caught.value.hint


@pytest.mark.parametrize(
    "command",
    [
        "feats-compute data new",
        "vad-compute data new",
        "nnet-train --num-epochs 1 data new",
        "nnet-train --features fbank data new",
        "data-subset data new",
        "data-copy data new",
        "data-export data new",
    ],
)
def test_programs_that_read_the_directory_tell(speech, command, capsys):
    """A corrected wav.scp used to be ignored without a word."""
    edit(speech, "wav.scp", "s0-u1.flac", "new.flac")
    assert main(command.split()) == 1
    lines = capsys.readouterr().err.splitlines()
    told = [x for x in lines if " INFO [" not in x and " WARNING [" not in x]
    assert "data/wav.scp:2: 's0-u1' is 'new.flac', but 's0-u1.flac' in" in told[0]
    assert told[1].startswith("  hint: asdkit kaldi-import data data takes over")
    assert not (speech.parent / "new").exists()


def test_either_cure_makes_them_agree(speech):
    (speech.parent / "s0-u1.flac").rename("new.flac")
    edit(speech, "wav.scp", "s0-u1.flac", "new.flac")
    assert main(["data-validate", "data"]) == 1
    assert main(["kaldi-import", "data", "data"]) == 0
    assert read_utterances(speech)[1].source == "new.flac"
    assert main(["data-validate", "data"]) == 0

    edit(speech, "wav.scp", "new.flac", "newer.flac")
    assert main(["data-validate", "--fix", "true", "data"]) == 0
    assert read_utterances(speech)[1].source == "new.flac"
    assert "newer" not in (speech / "wav.scp").read_text()


def test_order_blanks_and_missing_tables_are_not_contradictions(speech):
    for name in ("wav.scp", "utt2spk"):
        lines = (speech / name).read_text().splitlines()
        text = "".join(line.replace(" ", "\t ") + " \n" for line in reversed(lines))
        (speech / name).write_text(text)
    read_manifests(speech)
    (speech / "wav.scp").unlink()
    (speech / "utt2spk").unlink()
    read_manifests(speech)


def cut_in_two(lab, **times):
    """Let the first recording be all, and of these segments."""
    lines = [f"s0-{utt} s0-u0 {start} {end}\n" for utt, (start, end) in times.items()]
    (lab / "segments").write_text("".join(lines))
    (lab / "utt2spk").write_text("s0-u0 s0\ns0-u1 s0\n")
    for name in ("spk2utt", "feats.scp", "vad.scp", "utt2num_frames"):
        (lab / name).unlink()


def test_segments_that_were_moved_are_told(lab):
    """By more than the rounding of tables."""
    cut_in_two(lab, u0=(0.10, 0.50), u1=(0.50, -1))
    import_directory(lab, "data/new")
    new = lab.parent / "new"
    read_manifests(new)
    edit(new, "segments", "s0-u0 0.1 0.5", "s0-u0 0.102 0.501")
    read_manifests(new)
    edit(new, "segments", "s0-u0 0.102 0.501", "s0-u0 0.102 0.52")
    with pytest.raises(DataError, match=r"'s0-u0 0.102 0.52', but 's0-u0 0.1 0.5' in"):
        read_manifests(new)


@pytest.mark.parametrize("pipes", [False, True])
def test_lhotse_s_own_import_agrees_with_the_tables_it_was_made_of(lab, pipes):
    """Manifests beside tables that asdkit has not written."""
    cut_in_two(lab, u0=(0.10, 0.50), u1=(0.50, 0.99))
    if pipes:
        edit(lab, "wav.scp", "wav/s0-u0.wav", "cat  wav/s0-u0.wav |")
    recos = [line.split()[0] for line in (lab / "wav.scp").read_text().splitlines()]
    (lab / "reco2dur").write_text("".join(f"{reco} 1.0\n" for reco in recos))
    recordings, supervisions, _ = load_kaldi_data_dir(lab, 8000)
    recordings.to_file(lab / RECORDINGS)
    supervisions.to_file(lab / SUPERVISIONS)
    assert len(read_manifests(lab).supervisions) == 2
    check_plain(lab)
    edit(lab, "wav.scp", "s0-u0.wav", "s9-u9.wav")
    with pytest.raises(DataError, match=r"wav\.scp:1: 's0-u0' is "):
        read_manifests(lab)


@pytest.mark.parametrize("name", ["two.wav", "two words.wav"])
def test_channels_that_sox_cuts_out_agree(tmp_path, name):
    """wav.scp knows one channel only; the manifests know the file."""
    source = AudioSource("file", [0, 1], name)
    items = [SupervisionSegment(f"u{c}", "r", 0, 1.0, channel=c) for c in (0, 1)]
    write_manifests(tmp_path, [Recording("r", [source], 8000, 8000, 1.0)], items)
    assert f"sox {shlex.quote(name)} " in (tmp_path / "wav.scp").read_text()
    assert len(read_manifests(tmp_path).supervisions) == 2
    text = (tmp_path / "wav.scp").read_text().replace("two", "three")
    (tmp_path / "wav.scp").write_text(text)
    with pytest.raises(DataError, match=r"'r-1' is .sox"):
        read_manifests(tmp_path)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"id": "r", "sources": []}', "expected a field sampling_rate, got none"),
        ("[" * 100_000, "not a manifest: RecursionError"),
        ("[]", "expected an object"),
    ],
)
def test_a_manifest_read_without_lhotse_is_no_more_trusted(tmp_path, text, problem):
    """vad-compute reads it so, and ended in a traceback."""
    path = tmp_path / RECORDINGS
    path.write_bytes(gzip.compress(f"{text}\n".encode()))
    with pytest.raises(DataError, match=problem):
        read_plain(path)


@pytest.mark.parametrize("read", [read_plain, lambda path: read_manifests(path.parent)])
def test_an_empty_file_is_no_manifest_and_a_pipe_is_not_waited_for(tmp_path, read):
    """Gzip data of nothing gave a directory without audio, and no word."""
    path = tmp_path / RECORDINGS
    path.touch()
    with pytest.raises(DataError, match="gz: expected a manifest, got an empty file"):
        read(path)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(DataError, match="gz: expected a file, got something else"):
        read(path)


def test_a_recording_that_is_gone_from_the_manifests_is_told(lab):
    """An empty manifest of recordings beside wav.scp: data-export left wav.scp out."""
    import_directory(lab, "data/new")
    new = lab.parent / "new"
    (new / RECORDINGS).write_bytes(gzip.compress(b""))
    with pytest.raises(DataError, match=r"wav\.scp:1: 's0-u0' is not in the manifests"):
        read_manifests(new)


@pytest.mark.parametrize(
    ("name", "table", "problem"),
    [
        ("utt2dur", {"s0-u1": "0.9", "s0-u0": "50"}, "2: 's0-u0' is '50', but '0.5'"),
        ("utt2dur", {"s0-u0": "word"}, "1: 's0-u0' is 'word', but '0.5' in"),
        ("utt2dur", {"s9": "0.5"}, "1: 's9' is not in the manifests"),
        ("utt2attack", {"s0-u0": "A01"}, "1: 's0-u0' is 'A01', but 'bonafide' in"),
    ],
)
def test_a_table_given_by_its_path_is_compared_with_the_manifest_beside_it(
    speech, name, table, problem
):
    recordings, supervisions = read_manifests(speech)
    for item in supervisions.values():
        item.custom = {"attack": "bonafide"}
    write_manifests(speech, recordings.values(), supervisions.values())
    require_agreement_of(speech / "utt2dur", {"s0-u0": "0.5", "s0-u1": "0.9"})
    require_agreement_of(speech / "utt2attack", {"s0-u0": "bonafide"})
    with pytest.raises(DataError, match=re.escape(f"{speech}/{name}:{problem}")):
        require_agreement_of(speech / name, table)
    (speech / SUPERVISIONS).unlink()
    require_agreement_of(speech / name, table)
