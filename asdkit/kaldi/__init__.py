"""Leaving Kaldi: data and models in and out, and parity with its programs."""
