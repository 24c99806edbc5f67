"""Networks of Kaldi's nnet3: their files in and out."""
