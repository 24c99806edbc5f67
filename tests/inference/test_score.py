"""A score says what it is."""

from asdkit.inference.score import LLR, Score


def test_a_score_is_a_number_and_says_whether_it_is_calibrated():
    raw, llr = Score(0.25, "cosine"), Score(-1.5, LLR, is_calibrated=True)
    assert (float(raw), float(llr)) == (0.25, -1.5)
    assert str(raw) == "cosine 0.2500 (not calibrated)"
    assert str(llr) == "log-likelihood ratio -1.5000"
