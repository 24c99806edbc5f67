"""Remove the offset, or everything below a frequency, from a data directory's audio.

e.g.: python local/high_pass.py --cutoff 60 data/la/eval data/la_60/eval exp/la_60/eval

A countermeasure that still works does not exploit the low end of the recordings.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from scipy.signal import butter, sosfiltfilt

from asdkit.base.exits import exit_code
from asdkit.corpora.changed import write_changed

ORDER = 4  # of a Butterworth filter that runs forwards and backwards


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--cutoff", type=float, default=0.0, help="cutoff in Hz; 0: mean"
    )
    parser.add_argument("data_dir", help="data directory with audio")
    parser.add_argument("passed_dir", help="where to write the new data directory")
    parser.add_argument("audio_dir", help="where to write FLAC files")
    args = parser.parse_args()

    def change(utt: str, samples: np.ndarray, sampling_rate: int) -> np.ndarray:
        if not args.cutoff:
            return samples - samples.mean()
        sos = butter(ORDER, args.cutoff, "highpass", fs=sampling_rate, output="sos")
        return sosfiltfilt(sos, samples).astype(np.float32)

    write_changed(args.data_dir, args.passed_dir, args.audio_dir, change)


if __name__ == "__main__":
    sys.exit(exit_code(Path(__file__).name, main))
