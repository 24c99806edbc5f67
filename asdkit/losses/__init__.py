"""Training losses: classification, metric learning, one-class, distillation."""
