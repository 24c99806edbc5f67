"""How far asdkit's numbers are from those of a Kaldi experiment, stage by stage."""
