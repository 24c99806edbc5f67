"""A manifest from somebody else runs and fetches nothing; an error is one line."""

import gzip
import json
import shutil
from pathlib import Path

import pytest

from asdkit.__main__ import main
from asdkit.base.errors import DataError
from asdkit.batches.cut_arrays import load_samples
from asdkit.batches.noises import read_recordings
from asdkit.data.cuts import read_cuts
from asdkit.data.manifests import (
    RECORDINGS,
    SUPERVISIONS,
    read_manifests,
    read_utterances,
)

RUN = "touch pwned"


def source(kind, what=RUN):
    return {"type": kind, "channels": [0], "source": what}


def recording(*sources, **others):
    whole = {"sampling_rate": 16000, "num_samples": 16000, "duration": 1.0}
    return {"id": "r", "sources": list(sources), **whole, **others}


def reverb(rir):
    return {"name": "ReverbWithImpulseResponse", "kwargs": {"rir": rir}}


def cut_of(inner):
    return {
        **{"id": "c", "start": 0, "duration": 1.0, "channel": 0, "type": "MonoCut"},
        "recording": inner,
    }


HARMLESS = recording(source("file", "s0-u0.flac"))
COMMAND = recording(source("command"))
HOSTILE = {
    "a command in a transform": {"transforms": [reverb(COMMAND)]},
    "a command in a cut in a transform": {"transforms": [reverb(cut_of(COMMAND))]},
    "a url in a transform": {"transforms": [reverb(recording(source("url")))]},
    "any other transform": {"transforms": [reverb(HARMLESS)]},
    "an unknown transform": {"transforms": [{"name": "Mine", "kwargs": {}}]},
    "a transform of no kind": {"transforms": ["Speed"]},
    "a transform of a transform": {
        "transforms": [{"name": "Speed", "kwargs": {"factor": reverb(COMMAND)}}]
    },
    "a speed of nothing": {
        "transforms": [{"name": "Speed", "kwargs": {"factor": 0}}],
    },
    "an infinite speed": {
        "transforms": [{"name": "Speed", "kwargs": {"factor": float("inf")}}],
    },
    "a url": {"sources": [source("url", "http://127.0.0.1:9/x.wav")]},
    "memory": {"sources": [source("memory", "UklGRg==")]},
    "shar": {"sources": [source("shar", "")]},
    "an unknown source": {"sources": [source("tape")]},
    "a source of no type": {"sources": [{"channels": [0], "source": "x"}]},
    "a second source": {"sources": [source("file", "s0-u0.flac"), source("url")]},
    "a source that is a path": {"sources": ["s0-u0.flac"]},
    "sources that are a path": {"sources": "s0-u0.flac"},
    "a source that is a number": {"sources": [source("file", 5)]},
    "a source that is nothing": {"sources": [source("file", "")]},
    "a path that holds NUL": {"sources": [source("file", "a\0b")]},
    "channels that are none": {"sources": [source("file", "x") | {"channels": 0}]},
    "an id that is a number": {"id": 7},
    "no sources": {"sources": None},
}
HOSTILE_SUPERVISION = {
    "a recording": {"custom": {"target": COMMAND}},
    "a deep recording": {"custom": {"x": [{"y": [{"z": COMMAND}]}]}},
    "a source": {"custom": {"x": source("command")}},
    "a transform": {"custom": {"x": recording(transforms=[reverb(COMMAND)])}},
    "an id that is a number": {"id": 7},
}


def spoil(path, changes):
    """Change the first line of a manifest."""
    with gzip.open(path, "rt") as stream:
        first, *others = map(json.loads, stream)
    lines = [{**first, **changes}, *others]
    with gzip.open(path, "wt") as stream:
        stream.writelines(json.dumps(line) + "\n" for line in lines)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_recording_that_is_not_a_file_is_refused_wherever_it_stands(name, speech):
    spoil(speech / RECORDINGS, HOSTILE[name])
    with pytest.raises(DataError, match=r"recordings.jsonl.gz:1: .*expected") as error:
        read_manifests(speech)
    assert "\n" not in str(error.value)
    with pytest.raises(DataError, match=r"recordings.jsonl.gz:1: .*expected"):
        read_recordings(speech)
    assert not Path("pwned").exists()


@pytest.mark.parametrize("name", HOSTILE_SUPERVISION)
def test_a_supervision_that_holds_a_command_is_refused(name, speech):
    spoil(speech / SUPERVISIONS, HOSTILE_SUPERVISION[name])
    with pytest.raises(DataError, match=r"supervisions.jsonl.gz:1: .*expected"):
        read_manifests(speech)


@pytest.mark.parametrize(
    "line", ["[]", "5", '"x"', "null", "[" * 100_000, '{"id": "r", "sources": [{}]}']
)
def test_what_is_no_item_at_all_is_one_line(line, speech):
    with gzip.open(speech / RECORDINGS, "wt") as stream:
        stream.write(line + "\n")
    with pytest.raises(DataError, match=r"recordings.jsonl.gz:1: "):
        read_manifests(speech)


NETWORK = "--network resnet18 --channels 4 --embedding-dim 8 --chunk-frames 20"
PROGRAMS = [
    "noise-add data out wav",
    "codec-apply data out wav",
    "room-apply data out wav",
    "spoof-simulate --attacks lpc data out wav",
    "spoof-splice data out wav",
    "feats-compute data out",
    f"nnet-train {NETWORK} --features fbank --num-epochs 1 data out",
    f"nnet-train {NETWORK} --features fbank --noises data clean out",
    f"nnet-train {NETWORK} --features fbank --rooms data clean out",
    f"cm-train {NETWORK} --features fbank --num-epochs 1 data data out",
    "noise-add --noises data clean out wav",
    "data-copy data out",
    "data-export data out",
    "data-validate data",
]


@pytest.mark.parametrize("command", PROGRAMS)
@pytest.mark.parametrize("name", ["a command in a transform", "a url", "memory"])
def test_no_program_does_what_a_manifest_says(name, command, speech, capsys):
    shutil.copytree(speech, "clean")
    spoil(speech / RECORDINGS, HOSTILE[name])
    assert main(command.split()) == 1
    lines = capsys.readouterr().err.splitlines()
    assert sum(f"{RECORDINGS}:1: 's0-u0': expected" in line for line in lines) == 1
    assert not Path("pwned").exists()
    assert not Path("out").exists()
    assert not Path("wav").exists()


def test_a_command_of_its_own_runs_only_where_it_is_allowed(speech, capsys):
    made = {"sources": [source("command", "touch ran; cat s0-u0.flac")]}
    spoil(speech / RECORDINGS, made)
    (speech / "wav.scp").unlink()  # it would contradict the manifest
    assert main(["noise-add", "data", "out", "wav"]) == 1
    assert "--allow-pipes true" in capsys.readouterr().err
    assert not Path("ran").exists()
    assert main(["noise-add", "--allow-pipes", "true", "data", "out", "wav"]) == 0
    assert Path("ran").exists()


def test_speed_and_rate_may_be_changed_as_asdkit_changes_them(speech):
    cut = next(iter(read_cuts(speech, features=False)))
    changed = cut.perturb_speed(1.1, affix_id=False).resample(8000)
    spoil(speech / RECORDINGS, changed.recording.to_dict())
    with gzip.open(speech / SUPERVISIONS, "rt") as stream:
        duration = json.loads(stream.readline())["duration"]
    spoil(speech / SUPERVISIONS, {"duration": duration / 1.1})
    again = next(iter(read_cuts(speech, features=False)))
    found, expected = load_samples(again), load_samples(changed)
    assert abs(len(found) - len(expected)) <= 1  # durations are rounded
    assert (found[:3000] == expected[:3000]).all()


def test_the_name_of_a_file_is_not_run_either(speech, capsys):
    """lhotse runs sph2pipe on files that end in .sph, in a shell, without quotes."""
    name = "a;touch pwned;.sph"
    Path("s0-u0.flac").rename(name)
    spoil(speech / RECORDINGS, {"sources": [source("file", name)]})
    (speech / "wav.scp").unlink()  # it would contradict the manifest
    assert main(["noise-add", "data", "out", "wav"]) == 1
    assert "hand this name to a shell" in capsys.readouterr().err
    assert not Path("pwned").exists()
    assert read_utterances(speech)[0].source == name  # libsndfile may read it
    assert main(["feats-compute", "data", "out"]) == 0
