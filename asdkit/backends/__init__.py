"""From embeddings to scores, from scores to llrs: LDA, PLDA, AS-norm, calibration."""
