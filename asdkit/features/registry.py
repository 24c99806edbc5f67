"""The kinds of features by name, and what their options mean."""

from __future__ import annotations

from asdkit.features.constant_q import Cqcc
from asdkit.features.frames import Features
from asdkit.features.kaldi import Fbank, Mfcc
from asdkit.features.linear import Lfcc, LogSpectrum
from asdkit.features.waveform import Waveform

FEATURES: dict[str, type[Features]] = {
    "mfcc": Mfcc,
    "fbank": Fbank,
    "lfcc": Lfcc,
    "spectrum": LogSpectrum,
    "cqcc": Cqcc,
    "waveform": Waveform,
}

HELPS = {
    "sample_frequency": "sampling rate in Hz",
    "frame_length": "frame length in milliseconds",
    "frame_shift": "frame shift in milliseconds",
    "dither": "standard deviation of noise to add, in 16-bit integers; 0 for none",
    "preemphasis_coefficient": "how much of a sample to subtract from the next",
    "remove_dc_offset": "subtract the mean of every frame",
    "window_type": "shape of the window",
    "blackman_coeff": "constant of the generalized Blackman window",
    "round_to_power_of_two": "pad frames with zeros to a power of two",
    "snip_edges": "keep only frames inside the signal, else mirror it at its ends",
    "num_mel_bins": "number of mel bins",
    "num_filters": "number of linear bands",
    "fft_size": "samples in a frame with its zeros",
    "low_freq": "lower end of the first band in Hz",
    "high_freq": "upper end of the last band in Hz; if <= 0, offset from Nyquist",
    "num_ceps": "number of cepstra, C0 among them",
    "bins_per_octave": "bands of the constant-Q transform",
    "bandwidth_offset": "Hz added to a band's frequency before its width is taken",
    "octave_samples": "points of the linear scale in the lowest octave",
    "first_bin": "the lowest frequency to keep, counted from 0 Hz",
    "num_bins": "how many frequencies to keep from there up; 0 for all",
    "use_energy": "log energy in place of C0, for fbank as one more column",
    "energy_floor": "floor of a frame's energy, absolute",
    "raw_energy": "measure energy before pre-emphasis and window",
    "cepstral_lifter": "how much to scale higher cepstra up; 0 for not at all",
    "htk_compat": "energy or C0 goes last",
    "use_log_fbank": "take the logarithm of filter banks",
    "use_power": "sum power, else magnitude",
    "padding": "what stands before the first sample and after the last",
}
