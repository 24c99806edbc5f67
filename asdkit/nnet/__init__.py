"""Networks from frames to one embedding per utterance, and their complexity."""
