"""The front door to trained models: load, embed, score, detect."""
