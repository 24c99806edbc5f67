"""Pictures of recordings with their spoofed stretches marked, as SVG."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from asdkit.base.errors import AsdkitError
from asdkit.inference.stretches import Stretch
from asdkit.io.files import write_atomic
from asdkit.io.tables import PathName

if TYPE_CHECKING:
    from asdkit.inference.bundle import Bundle
    from asdkit.inference.verdict import Verdict
    from asdkit.inference.voices import Voice

WIDTH, HEIGHT, MARGIN, AXIS = 900, 160, 10, 34  # in pixels
TICKS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)  # seconds between two of them
MAX_TICKS = 12
SPOOFED, WAVE, INK = "#d55e00", "#4c566a", "#222222"
FONT = 'font-family="sans-serif" font-size="12"'


def draw_recording(
    samples: np.ndarray,
    sampling_rate: int,
    stretches: Sequence[Stretch],
    title: str,
) -> str:
    """Draw the envelope of a recording, its spoofed stretches behind it.

    Args:
        samples: (L,) in [-1, 1), L > 0.
        sampling_rate: in Hz.
        stretches: to mark, with their times.
        title: a line above.

    Returns:
        an SVG image.
    """
    duration = len(samples) / sampling_rate
    scale = (WIDTH - 2 * MARGIN) / duration
    height = HEIGHT + 2 * AXIS
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="{MARGIN}" y="{AXIS - 12}" {FONT} fill="{INK}">'
        f"{html.escape(title)}</text>",
    ]
    for stretch in stretches:
        left = MARGIN + scale * stretch.start
        parts.append(
            f'<rect x="{left:.1f}" y="{AXIS}" height="{HEIGHT}" fill="{SPOOFED}" '
            f'width="{scale * (stretch.end - stretch.start):.1f}" opacity="0.35">'
            f"<title>spoofed, {stretch}</title></rect>"
        )
    parts.append(f'<path d="{_envelope(samples)}" fill="{WAVE}"/>')
    step = next((x for x in TICKS if duration / x <= MAX_TICKS), TICKS[-1])
    for tick in np.arange(0, duration, step):
        x = MARGIN + scale * tick
        parts.append(
            f'<text x="{x:.1f}" y="{AXIS + HEIGHT + 18}" {FONT} fill="{INK}">'
            f"{tick:g} s</text>"
        )
    return "\n".join([*parts, "</svg>\n"])


def _envelope(samples: np.ndarray) -> str:
    """Outline the highest and lowest samples of every pixel, relative to the peak."""
    columns = min(WIDTH - 2 * MARGIN, len(samples))
    pieces = np.array_split(samples / max(float(np.abs(samples).max()), 1e-9), columns)
    xs = MARGIN + np.arange(columns) * (WIDTH - 2 * MARGIN) / columns
    middle, half = AXIS + HEIGHT / 2, HEIGHT / 2
    tops = [
        (x, middle - half * piece.max()) for x, piece in zip(xs, pieces, strict=True)
    ]
    ends = [
        (x, middle - half * piece.min()) for x, piece in zip(xs, pieces, strict=True)
    ]
    points = [f"{x:.1f},{y:.1f}" for x, y in (*tops, *ends[::-1])]
    return f"M{' L'.join(points)} Z"


def write_picture(
    folder: PathName,
    name: str,
    samples: np.ndarray,
    sampling_rate: int,
    stretches: Sequence[Stretch],
) -> Path:
    """Write a picture of a recording under a name that is new in the folder.

    Args:
        folder: made if need be.
        name: path of the recording.
        samples: (L,) in [-1, 1).
        sampling_rate: in Hz.
        stretches: to mark.
    """
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    content = draw_recording(samples, sampling_rate, stretches, name)
    path, number = target / f"{Path(name).stem}.svg", 1
    while path.exists():
        number += 1
        path = target / f"{Path(name).stem}_{number}.svg"
    with write_atomic(path) as stream:
        stream.write(content)
    return path


def require_localizing(bundle: Bundle, path: PathName) -> None:
    """Raise an AsdkitError if a bundle's countermeasure has no stretches to mark."""
    if not bundle.cm.localizes:
        problem = "its countermeasure does not localize: there is nothing to mark"
        raise AsdkitError(f"{path}: {problem}", hint="leave --picture out")


def picture_writer(
    folder: PathName, bundle: Bundle
) -> Callable[[str, Voice, Verdict], None]:
    """Make what writes a picture of a recording that was heard and judged.

    Args:
        folder: where to.
        bundle: the judge.
    """

    def write(name: str, voice: Voice, verdict: Verdict) -> None:
        marked = verdict.stretches or ()
        write_picture(folder, name, voice.samples, bundle.cm.sampling_rate, marked)

    return write
