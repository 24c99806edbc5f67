"""Synthesized and modified waveforms: speakers, sessions, channels, attacks, noise."""
