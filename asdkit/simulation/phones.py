"""Synthetic sentences: syllables of random phones, as targets over time.

Values are those of an average man.  Formants of vowels: G. Peterson and H. Barney,
"Control methods used in a study of the vowels", JASA 24, 1952; loci of consonants:
about those of D. Klatt, JASA 67, 1980, table III.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Target(NamedTuple):
    """A target of the articulators for some time.

    Attributes:
        sec: average duration.
        f1: first formant in Hz.
        f2: second formant in Hz.
        f3: third formant in Hz.
        voicing: strength of the glottal pulses, 1 in a vowel.
        aspiration: strength of the noise at the glottis.
        frication: strength of the noise at a constriction.
        noise_hz: center of that noise.
        noise_width: its bandwidth in Hz.
        zero_hz: antiresonance of the closed mouth, 0 where the nose is closed.
    """

    sec: float
    f1: float
    f2: float
    f3: float
    voicing: float = 1.0
    aspiration: float = 0.0
    frication: float = 0.0
    noise_hz: float = 4000.0
    noise_width: float = 4000.0
    zero_hz: float = 0.0


def _stop(voiced: bool, f2: float, f3: float, noise_hz: float) -> list[Target]:
    """Build a stop: closure, burst and, if it is voiceless, aspiration."""
    closure = Target(0.06, 250, f2, f3, voicing=0.12 if voiced else 0.0)
    burst = Target(0.014, 350, f2, f3, voicing=0.0, aspiration=0.1, frication=0.9)
    burst = burst._replace(noise_hz=noise_hz, noise_width=2000)
    breath = Target(0.04, 400, f2, f3, voicing=0.0, aspiration=0.6)
    return [closure, burst] if voiced else [closure, burst, breath]


VOWELS = {
    "i": [Target(0.11, 270, 2290, 3010)],
    "I": [Target(0.08, 390, 1990, 2550)],
    "E": [Target(0.09, 530, 1840, 2480)],
    "ae": [Target(0.13, 660, 1720, 2410)],
    "V": [Target(0.08, 640, 1190, 2390)],
    "a": [Target(0.13, 730, 1090, 2440)],
    "O": [Target(0.13, 570, 840, 2410)],
    "U": [Target(0.08, 440, 1020, 2240)],
    "u": [Target(0.11, 300, 870, 2240)],
    "3": [Target(0.11, 490, 1350, 1690)],
    "ai": [Target(0.09, 730, 1090, 2440), Target(0.07, 390, 1990, 2550)],
    "au": [Target(0.09, 730, 1090, 2440), Target(0.07, 440, 1020, 2240)],
}
ONSETS = {
    "": [],
    "w": [Target(0.06, 290, 610, 2150, voicing=0.6)],
    "j": [Target(0.06, 260, 2070, 3020, voicing=0.6)],
    "r": [Target(0.06, 310, 1060, 1380, voicing=0.6)],
    "h": [Target(0.06, 500, 1500, 2500, voicing=0.0, aspiration=0.7)],
    "b": _stop(True, 1100, 2150, 1000),
    "d": _stop(True, 1600, 2600, 4000),
    "g": _stop(True, 1990, 2850, 2000),
    "p": _stop(False, 1100, 2150, 1000),
    "t": _stop(False, 1600, 2600, 4200),
    "k": _stop(False, 1990, 2850, 2000),
    "v": [Target(0.06, 220, 1100, 2080, 0.4, 0.0, 0.12, 5500, 6000)],
    "z": [Target(0.07, 240, 1390, 2530, 0.3, 0.0, 0.5, 6000, 1400)],
}
CODAS = {
    "l": [Target(0.06, 310, 1050, 2880, voicing=0.6)],
    "m": [Target(0.07, 300, 1270, 2130, voicing=0.5, zero_hz=1000)],
    "n": [Target(0.07, 300, 1340, 2470, voicing=0.5, zero_hz=1700)],
    "f": [Target(0.08, 340, 1100, 2080, 0.0, 0.1, 0.2, 5500, 6000)],
    "th": [Target(0.08, 320, 1290, 2540, 0.0, 0.1, 0.2, 6000, 5000)],
    "s": [Target(0.10, 320, 1390, 2530, 0.0, 0.0, 1.0, 6000, 1400)],
    "sh": [Target(0.10, 300, 1840, 2750, 0.0, 0.0, 1.0, 3200, 1200)],
}
PAUSE = Target(0.3, 500, 1500, 2500, voicing=0.0)
PHONES = {"pause": [PAUSE], **ONSETS, **VOWELS, **CODAS}
TARGETS = np.array([target for phone in PHONES.values() for target in phone])
_FIRST = np.cumsum([0, *map(len, PHONES.values())])
ROWS = {
    phone: range(start, end)
    for phone, start, end in zip(PHONES, _FIRST[:-1], _FIRST[1:], strict=True)
}
# What closes one syllable may also open another.
_ONSETS = [ROWS[phone] for phone in [*ONSETS, *CODAS]]
_VOWELS = [ROWS[phone] for phone in VOWELS]
_CODAS = [ROWS[phone] for phone in CODAS]


class Sentence(NamedTuple):
    """Random speech, independent of the speaker.

    Attributes:
        targets: (S,) rows of `TARGETS`.
        ends: (S,) when each target ends, in seconds.
        accents: (S,) pitch against the speaker's average, mostly within -2 and 2.
    """

    targets: np.ndarray
    ends: np.ndarray
    accents: np.ndarray


def draw_sentence(sec: float, rate: float, rng: np.random.Generator) -> Sentence:
    """Draw phrases of random syllables, each after a pause.

    Args:
        sec: minimum duration of the sentence.
        rate: tempo; 1 is average, more is faster.
        rng: makes the choices.
    """
    targets: list[int] = []
    accents: list[float] = []
    secs: list[float] = []
    while sum(secs) < sec:
        rows, pitch = _draw_phrase(rng)
        stretch = np.exp(rng.normal(0, 0.2, len(rows)))
        targets += rows
        accents += pitch
        secs += list(TARGETS[rows, 0] * stretch / rate)
    return Sentence(np.array(targets), np.cumsum(secs), np.array(accents))


def _draw_phrase(rng: np.random.Generator) -> tuple[list[int], list[float]]:
    """Draw a pause and three to eight syllables, whose pitch falls on average."""
    rows = [*ROWS["pause"]]
    accents = [0.0]
    for decline in np.linspace(1, -1, rng.integers(3, 9)):
        phones = [_pick(_ONSETS, rng), _pick(_VOWELS, rng)]
        if rng.random() < 0.4:
            phones.append(_pick(_CODAS, rng))
        syllable = [row for phone in phones for row in phone]
        rows += syllable
        accents += [decline + rng.normal(0, 0.7)] * len(syllable)
    return rows, accents


def _pick(phones: list[range], rng: np.random.Generator) -> range:
    """Draw one of several phones."""
    return phones[rng.integers(len(phones))]
