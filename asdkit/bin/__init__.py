"""One program per file."""
