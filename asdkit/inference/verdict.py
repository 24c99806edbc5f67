"""Decisions that say what they are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from asdkit.inference.score import Score
from asdkit.inference.stretches import Stretch
from asdkit.metrics.decision_costs import DecisionCosts


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
    costs: DecisionCosts
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
