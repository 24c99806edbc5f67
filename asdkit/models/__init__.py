"""Trained model files: opened, checked and identified."""
