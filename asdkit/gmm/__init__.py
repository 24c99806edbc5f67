"""Gaussian mixtures: universal background models, alignment, Baum-Welch statistics."""
