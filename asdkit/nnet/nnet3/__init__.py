"""Networks of Kaldi's nnet3: their graph, their components, their edges in time."""
