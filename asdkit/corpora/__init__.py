"""Corpora as data directories: read from where they lie, or derived from another."""
