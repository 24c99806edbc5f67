"""Test embeddings, as the runs behind the scores have named them."""

import shutil

from asdkit.report.embedding_figures import choose, embedding_figures


def test_every_utterance_has_a_mark_in_both_pictures(found):
    (pair,) = embedding_figures(found)
    assert pair.count("<figure>") == 4  # PCA and t-SNE, of two systems
    assert pair.count("<title>s00</title>") == 4
    marks = pair.split("<figure>")[1].count("<path ")
    assert marks == 64


def test_whole_speakers_are_chosen_those_with_the_most_first():
    keys = ["a1", "b1", "b2", "x"]
    rows, speakers = choose(keys, {"a1": "a", "b1": "b", "b2": "b"})
    assert rows == [0, 1, 2]
    assert speakers == ["a", "b", "b"]
    many = [f"s{n}-{k}" for n in range(60) for k in range(30)]
    rows, speakers = choose(many, {key: key.partition("-")[0] for key in many})
    assert len(rows) == 500


def test_vectors_that_have_gone_are_a_sentence(found):
    for name in ("good", "bad"):
        shutil.rmtree(f"exp/{name}/test")
    (text,) = embedding_figures(found)
    assert "left out" in text
