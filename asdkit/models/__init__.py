"""Trained files: opened, checked, and told apart."""
