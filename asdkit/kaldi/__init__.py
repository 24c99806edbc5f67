"""Migration from Kaldi: data and models in and out, and parity checks."""
