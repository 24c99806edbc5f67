"""Scores of trials: cohorts, calibration and evaluation."""
