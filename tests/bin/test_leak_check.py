"""leak-check: the table, the sentence and the exit code."""

import json

import numpy as np
import pytest
import soundfile

from asdkit import __main__ as command
from asdkit.data.manifests import (
    Utterance,
    read_manifests,
    write_manifests,
    write_utterances,
)

RATE = 16000


@pytest.fixture
def corpus(tmp_path, rng):
    """Return a maker of a corpus whose spoofs were given an offset."""

    def make(offset, per_class=40, attacks=("A01", "bonafide")):
        utterances = []
        for i in range(2 * per_class):
            length = int(rng.integers(4000, 8000))
            samples = 0.1 * rng.standard_normal(length) + offset * (i % 2 == 0)
            soundfile.write(tmp_path / f"u{i}.flac", samples, RATE)
            where = str(tmp_path / f"u{i}.flac"), False, 0.0, length / RATE, 0, RATE
            utterances.append(Utterance(f"u{i}", f"s{i // 2 % 8}", *where))
        write_utterances(tmp_path / "data", utterances)
        manifests = read_manifests(tmp_path / "data")
        for item in manifests.supervisions.values():
            item.custom = {"attack": attacks[int(item.id[1:]) % 2]}
        write_manifests(tmp_path / "data", *(part.values() for part in manifests))
        return str(tmp_path / "data")

    return make


def test_what_gives_spoofs_away_is_named_with_its_attack_and_eer(corpus, capsys):
    data = corpus(0.02)
    assert command.main(["leak-check", data]) == 1
    said = capsys.readouterr()
    first = said.out.splitlines()[2].split()
    assert first[0] == "mean"
    assert first[1].endswith("*")
    assert f"error: {data}: expected at least 30 % EER, got 0.0 %: the mean" in said.err
    assert "tells A01 from bona fide speech (40 and 40 files)" in said.err


def test_relabeled_bonafide_speech_passes(corpus, capsys):
    assert command.main(["leak-check", corpus(0.0)]) == 0
    said = capsys.readouterr()
    assert "*" not in said.out.splitlines()[2]
    assert "not by chance: 0 of" in said.out
    assert "error" not in said.err


def test_the_criterion_is_the_users(corpus, capsys):
    data = corpus(0.002)
    assert command.main(["leak-check", data]) == 1
    said = capsys.readouterr().out
    rate = float(said.splitlines()[2].split()[1].strip("*"))
    assert command.main(["leak-check", "--min-eer", str(rate - 0.1), data]) == 0


def test_json_is_printed_whether_it_passes_or_not(corpus, capsys):
    data = corpus(0.02)
    assert command.main(["leak-check", "--json", data]) == 1
    (table,) = json.loads(capsys.readouterr().out)
    row = next(row for row in table["rows"] if row["number"] == "mean")
    assert row["A01"] == pytest.approx(0, abs=1e-9)
    rates = np.array([row["A01"] for row in table["rows"]])
    assert ((rates >= 0) & (rates <= 50)).all()


def test_a_table_fits_a_terminal(corpus, capsys):
    command.main(["leak-check", corpus(0.02)])
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


@pytest.mark.parametrize(
    ("attacks", "missing"),
    [(("A01", "A02"), "bona fide"), (("bonafide", "bonafide"), "spoofed")],
)
def test_one_class_alone_is_refused(corpus, capsys, attacks, missing):
    assert command.main(["leak-check", corpus(0.0, 2, attacks)]) == 1
    assert f"got none that are {missing}" in capsys.readouterr().err
