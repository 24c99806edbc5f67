"""spoof-splice, from a corpus with spoofs to one with partial spoofs."""

import numpy as np
import soundfile

from asdkit.__main__ import main
from asdkit.data.manifests import (
    read_manifests,
    read_utterances,
    write_utterances,
)
from asdkit.io.tables import read_table


def test_parts_of_bona_fide_speech_become_the_same_speakers_spoofs(one_attack):
    splice = ["spoof-splice", "--max-sec=0.4", "data"]
    assert main([*splice, "spliced", "wav"]) == 0
    attacks = {f"s{n}-0": "bonafide" for n in range(4)}
    attacks |= {f"s{n}-0-spliced": "A01" for n in range(4)}
    assert read_table("spliced/utt2attack") == attacks
    for utt, item in read_manifests("spliced").supervisions.items():
        if not utt.endswith("-spliced"):
            continue
        made, rate = soundfile.read(f"wav/{utt[:2]}/{utt}.flac")
        before, _ = soundfile.read(f"{utt[:4]}.wav")
        changed = np.flatnonzero(np.abs(made - before) > 1e-3) / rate
        parts = np.array(item.custom["spoofed"])
        assert len(parts)
        inside = (changed[:, None] >= parts[:, 0]) & (changed[:, None] <= parts[:, 1])
        assert inside.any(axis=1).all()
        assert inside.any(axis=0).all()


def test_the_originals_may_be_left_out_and_the_seed_decides(one_attack):
    splice = ["spoof-splice", "--max-sec=0.4", "--with-bonafide=false", "data"]
    assert main([*splice, "one", "wav1"]) == 0
    assert all(utt.endswith("-spliced") for utt in read_table("one/utt2spk"))
    assert main([*splice, "same", "wav2"]) == 0
    assert main([*splice, "other", "wav3", "--seed=1"]) == 0
    parts = [
        [item.custom["spoofed"] for item in read_manifests(data).supervisions.values()]
        for data in ("one", "same", "other")
    ]
    assert parts[0] == parts[1] != parts[2]


def test_a_corpus_without_spoofs_is_one_line(one_attack, capsys):
    utterances = [
        item._replace(custom={"attack": "bonafide"}) for item in read_utterances("data")
    ]
    write_utterances("data", utterances)
    assert main(["spoof-splice", "data", "spliced", "wav"]) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("asdkit spoof-splice: error: data: no speaker has both")
