"""Networks that map frames to one embedding per utterance, and what they cost."""
