"""File input and output: archives, tables, trials, audio, models, Kaldi's binaries."""
