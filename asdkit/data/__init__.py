"""Data directories: lhotse manifests, Kaldi tables, validation, subsets, frames."""
