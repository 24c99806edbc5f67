"""Decisions that say what they are made of."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from asdkit.base.errors import AsdkitError
from asdkit.base.ranges import Positive, Probability
from asdkit.inference.score import Score
from asdkit.inference.stretches import Stretch


@dataclass(frozen=True)
class Costs:
    """The prior and the costs that a threshold follows from.

    Args:
        p_target: prior probability that the claim is true: that two recordings are of
            one speaker, or that one is bona fide.
        c_miss: cost of rejecting a true claim.
        c_fa: cost of accepting a false one.

    Source: the NIST evaluation plans; N. Brummer, "Measuring, refining and calibrating
    speaker and language information extracted from speech", 2010.

    Example:
        >>> Costs().threshold
        0.0
        >>> round(Costs(p_target=0.01, c_miss=10).threshold, 3)
        2.293
    """

    p_target: Probability = 0.5
    c_miss: Positive = 1.0
    c_fa: Positive = 1.0

    def __post_init__(self) -> None:
        costs = self.c_miss, self.c_fa
        if not (0 < self.p_target < 1 and all(0 < x < math.inf for x in costs)):
            expected = "expected 0 < p_target < 1 and costs above 0, all finite"
            raise AsdkitError(f"{expected}, got {self}")

    @property
    def threshold(self) -> float:
        """The log-likelihood ratio above which accepting costs less (Bayes)."""
        odds = self.p_target / (1 - self.p_target)
        return math.log(self.c_fa) - math.log(self.c_miss) - math.log(odds)

    def __str__(self) -> str:
        return f"prior {self.p_target:g}, costs {self.c_miss:g} and {self.c_fa:g}"


@dataclass(frozen=True)
class Verdict:
    """A score, and what follows from it.

    Attributes:
        question: "the same speaker" or "bona fide speech".
        score: calibrated, or not.
        costs: prior and costs.
        speech_sec: seconds of speech in each recording.
        notes: what makes it less certain.
        spoof: the decision whether the test recording is bona fide, where the model
            has a countermeasure.
        stretches: parts of the recording that are probably spoofed; None: the model
            does not localize.
    """

    question: str
    score: Score
    costs: Costs
    speech_sec: tuple[float, ...]
    notes: tuple[str, ...] = ()
    spoof: Verdict | None = None
    stretches: tuple[Stretch, ...] | None = None

    @property
    def decision(self) -> str:
        """Decide: "accept" or "reject"; "undecided" without a calibration.

        A test recording that is rejected as spoofed is rejected in any case.
        """
        if self.spoof is not None and self.spoof.decision == "reject":
            return "reject"
        if not self.score.is_calibrated:
            return "undecided"
        return "accept" if float(self.score) > self.costs.threshold else "reject"

    @property
    def accepted(self) -> bool | None:
        """Whether the claim is accepted; None: undecided."""
        return {"accept": True, "reject": False}.get(self.decision)

    @property
    def sentence(self) -> str:
        """One plain sentence."""
        if not self.score.is_calibrated:
            text = f"No decision whether this is {self.question}: the score, "
            text += f"{self.score.kind} {float(self.score):.3f}, is not calibrated"
        else:
            llr, threshold = float(self.score), self.costs.threshold
            above = llr > threshold
            text = "This is probably " if above else "This is probably not "
            text += f"{self.question}: the log-likelihood ratio, {llr:.2f}, is "
            text += "above" if above else "not above"
            text += f" the threshold, {threshold:.2f} ({self.costs})"
        if self.spoof is not None and self.spoof.decision == "reject":
            llr = float(self.spoof.score)
            text += f"; but the test recording is probably spoofed (llr {llr:.2f})"
        elif self.spoof is not None and self.spoof.decision == "undecided":
            text += "; whether the test recording is spoofed is not decided: the "
            text += "countermeasure is not calibrated"
        if self.stretches:
            text += f"; spoofed stretches: {', '.join(map(str, self.stretches))}"
        return text + "."

    def __str__(self) -> str:
        return self.sentence

    def as_dict(self) -> dict[str, Any]:
        """Return numbers and texts for JSON."""
        found: dict[str, Any] = {
            "score": float(self.score),
            "kind": self.score.kind,
            "threshold": self.costs.threshold if self.score.is_calibrated else None,
            "decision": self.decision,
            "speech_sec": [round(x, 2) for x in self.speech_sec],
            "notes": list(self.notes),
            "sentence": self.sentence,
        }
        if self.stretches is not None:
            found["stretches"] = [x._asdict() for x in self.stretches]
        if self.spoof is not None:
            found["spoof"] = self.spoof.as_dict()
        return found
