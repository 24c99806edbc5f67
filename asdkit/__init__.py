"""Speaker verification and anti-spoofing, from data to results, in small programs."""

__version__ = "0.2.0"
