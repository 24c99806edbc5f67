"""What a user of trained models calls."""
