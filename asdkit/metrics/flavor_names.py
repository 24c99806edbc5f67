"""Metric flavors by name; `asdkit.metrics.flavors` says what each reports."""

from __future__ import annotations

VERIFICATION = ("kaldi", "voxceleb")
SPOOFING = ("asvspoof2019", "asvspoof2021", "asvspoof5")
