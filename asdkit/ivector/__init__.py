"""The total-variability model: its estimation by EM and the i-vectors it gives."""
