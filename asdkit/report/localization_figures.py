"""Spectrograms with the spoofed stretches that localizers found, and the true ones."""

from __future__ import annotations

import base64
import logging
import struct
import zlib
from collections.abc import Iterable

import numpy as np

from asdkit.base.answers import Cell, number
from asdkit.base.errors import AsdkitError
from asdkit.data.frame_segments import frame_times
from asdkit.data.manifests import Utterance, read_utterances
from asdkit.data.supervisions import read_supervisions, spoofed_parts
from asdkit.io.ark import read_arrays
from asdkit.io.audio import open_audio, read_samples
from asdkit.report.lineage import Made
from asdkit.report.markup import Markup, data_table, element, figure
from asdkit.report.svg import Plot, ticks
from asdkit.segmentation.segments import segments_of

logger = logging.getLogger(__name__)
NUM_UTTS = 2  # of every localizer
HEIGHT, WIDTH = 96, 480  # pixels of a spectrogram
RANGE_DB = 70.0
LONGEST_SEC = 12.0


def localization_figures(runs: Iterable[Made]) -> list[Markup]:
    """Draw utterances with spoofed parts, for every output of cm-localize."""
    figures = []
    for made in runs:
        if made.program != "cm-localize":
            continue
        for data_dir in made.inputs("data_dir")[:1]:
            try:
                figures += _figures(data_dir, made.output)
            except (AsdkitError, OSError, ValueError, KeyError) as error:
                logger.warning("report: no spectrograms of %s: %s", made.output, error)
    return figures


def spectrogram(samples: np.ndarray, width: int = WIDTH) -> np.ndarray:
    """(L,) samples -> (HEIGHT, width) uint8, loud is bright, low frequencies below."""
    size = 2 * HEIGHT
    starts = np.linspace(0, max(0, len(samples) - size), width).astype(int)
    padded = np.pad(samples, (0, max(0, size - len(samples))))
    frames = padded[starts[:, None] + np.arange(size)] * np.hanning(size)
    power = np.abs(np.fft.rfft(frames, axis=1)[:, 1 : HEIGHT + 1]) ** 2
    level = 10 * np.log10(power + 1e-12)
    share = (level - level.max()) / RANGE_DB + 1
    return (255 * np.clip(share, 0, 1)).astype(np.uint8).T[::-1]


def png(gray: np.ndarray) -> bytes:
    """Write (H, W) uint8 as an image."""
    height, width = gray.shape
    lines = b"".join(b"\0" + row.tobytes() for row in gray)

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = zlib.crc32(kind + content)
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines, 9))
    return b"\x89PNG\r\n\x1a\n" + body + chunk(b"IEND", b"")


def _figures(data_dir: str, out_dir: str) -> list[Markup]:
    """Draw some utterances of one localizer."""
    known = read_supervisions(data_dir)
    utterances = {x.utt: x for x in read_utterances(data_dir)}
    times = frame_times(data_dir)
    figures: list[Markup] = []
    for utt, path in read_arrays(f"scp:{out_dir}/bonafide.scp"):
        if len(figures) == NUM_UTTS:
            break
        reference = spoofed_parts(known[utt]) if utt in known else []
        if not reference or utt not in utterances or utterances[utt].is_command:
            continue
        duration = known[utt].duration
        said = [
            times.seconds(segment, len(path), duration)
            for segment in segments_of(path > 0)
            if not segment.label
        ]
        figures.append(_figure(utterances[utt], out_dir, reference, said))
    return figures


def _figure(
    utterance: Utterance,
    out_dir: str,
    reference: list[tuple[float, float]],
    said: list[tuple[float, float]],
) -> Markup:
    """Draw one utterance: its spectrogram, and two rows of stretches below."""
    seconds = min(utterance.duration, LONGEST_SEC)
    with open_audio(utterance.source, False, False) as file:
        place = utterance.start, seconds, utterance.channel
        samples = read_samples(file, utterance.source, *place)
    text = base64.b64encode(png(spectrogram(samples))).decode()
    plot = Plot.sized((0, seconds), (0, 1), 920, 270, left=64)
    frame = {"x": 64, "y": 10, "width": 844, "height": 150}
    source = f"data:image/png;base64,{text}"
    parts = [plot.axes(ticks(0, seconds, 10), [], "time in s", "")]
    parts.append(element("image", "", href=source, preserveAspectRatio="none", **frame))
    rows: list[list[Cell | str]] = []
    for y, name, kind, stretches in (
        (170, "spoofed", "spoof", reference),
        (200, "found", "nontarget", said),
    ):
        parts.append(element("text", name, x=58, y=y + 14, text_anchor="end"))
        for start, end in stretches:
            a, b = plot.x(start), plot.x(end)
            box = {"x": f"{a:.1f}", "y": y, "width": f"{b - a:.1f}", "height": 20}
            parts.append(element("rect", "", class_=f"hist {kind}", **box))
            rows.append([name, number(float(start), ".3f"), number(float(end), ".3f")])
    title = f"Spoofed stretches of {utterance.utt}"
    picture = plot.draw(parts, title, class_="plot full")
    table = data_table(["stretch", "from s", "to s"], rows, title)
    note = f"Above what is spoofed, below what {out_dir} found."
    return figure(title, note, picture, table)
