"""A score that says what it is."""

from __future__ import annotations

from dataclasses import dataclass

LLR = "log-likelihood ratio"


@dataclass(frozen=True)
class Score:
    """A number that compares voices, or tells bona fide from spoofed speech.

    Args:
        value: higher means the same speaker, or bona fide speech.
        kind: "cosine", "PLDA LLR", ...; `LLR` where a calibration made it.
        is_calibrated: whether the number is a log-likelihood ratio that can be compared
            with a threshold from prior and costs; otherwise a threshold has to be found
            on development trials.

    Example:
        >>> score = Score(0.71, "cosine")
        >>> print(score)
        cosine 0.7100 (not calibrated)
        >>> float(score) > 0.5
        True
    """

    value: float
    kind: str
    is_calibrated: bool = False

    def __float__(self) -> float:
        return self.value

    def __str__(self) -> str:
        note = "" if self.is_calibrated else " (not calibrated)"
        return f"{self.kind} {self.value:.4f}{note}"
