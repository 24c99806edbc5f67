"""Numbers that say how good scores are: EER, detection costs, Cllr; arrays only."""
