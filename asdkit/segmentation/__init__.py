"""Which frames hold speech."""
