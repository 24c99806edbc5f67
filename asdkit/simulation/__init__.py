"""Waveforms drawn or changed: speakers, sessions, channels, attacks, noise."""
