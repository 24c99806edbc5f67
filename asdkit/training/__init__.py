"""Training networks: the loop, its schedules, checkpoints and dev error."""
