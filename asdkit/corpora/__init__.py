"""Corpora as data directories: read from disk, or derived from another corpus."""
