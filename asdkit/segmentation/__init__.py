"""Frame scores to segments: independent decisions, or paths with minimum durations."""
