"""The total-variability model: EM training and i-vector extraction."""
