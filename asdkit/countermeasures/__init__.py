"""Countermeasures against spoofed speech: models, scoring, evaluation, tandems."""
