"""Shared by every program: errors, options, logs, ranks, provenance."""
