"""Waveforms to frames: MFCC, filter banks, LFCC, log spectra; deltas; CMN."""
