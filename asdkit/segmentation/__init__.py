"""Which frames hold speech or are spoofed, decided alone or with structure in time."""
