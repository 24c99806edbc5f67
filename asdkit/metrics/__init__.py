"""Metrics of scores: EER, detection costs, Cllr; arrays only."""
