"""Parity with a Kaldi experiment, stage by stage."""
