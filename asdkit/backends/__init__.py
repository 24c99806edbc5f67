"""Embeddings to scores to log-likelihood ratios: LDA, PLDA, AS-norm, calibration."""
