"""What every program needs: errors, options, logs, ranks, provenance."""
