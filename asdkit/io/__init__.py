"""Files in and out: archives, tables, trials, audio, models, Kaldi's binaries."""
